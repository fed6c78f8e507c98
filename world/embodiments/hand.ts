/**
 * @file A person's hand seen in a video: fingers bunched on the table, palm above the blocks, forearm and sleeve coming
 * from the viewer's side. Fingers and thumb are what touches the blocks. The forearm keeps pointing back to an elbow, so
 * the hand turns as it moves.
 */
import type { Simulation } from "../physics/simulation.ts";
import { type Attributes, element } from "../physics/xml.ts";
import { type Effector, type Embodiment, moveTarget, planarDelta } from "./embodiment.ts";
import { planarSlides, slideGains } from "./pusher.ts";

/** Where the forearm points back to, metres; x is mirrored for a left hand. */
const elbowM = [0.14, -0.7] as const;

/** Skin geoms and sleeve geoms, by name, for the looks. */
export const handSkin = ["index", "middle", "ring", "thumb", "palm", "heel", "wrist"] as const;
export const handSleeve = ["sleeve", "cuff"] as const;

function parts(side: 1 | -1): string {
  const capsule = (name: string, kind: string, radius: number, from: readonly number[], to: readonly number[]) => {
    const fromto = [side * from[0]!, from[1]!, from[2]!, side * to[0]!, to[1]!, to[2]!];
    const attributes: Attributes = { name, class: kind, type: "capsule", size: [radius], fromto };
    return element("geom", attributes);
  };
  return [
    capsule("index", "effector", 0.0095, [-0.02, -0.035, 0.08], [-0.011, 0.004, 0.016]),
    capsule("middle", "effector", 0.0105, [0, -0.03, 0.084], [0.002, 0.008, 0.015]),
    capsule("ring", "effector", 0.0095, [0.02, -0.036, 0.08], [0.013, 0.003, 0.016]),
    capsule("thumb", "effector", 0.0105, [-0.034, -0.05, 0.07], [-0.006, -0.012, 0.017]),
    capsule("palm", "visual", 0.021, [-0.014, -0.052, 0.082], [-0.01, -0.085, 0.083]),
    capsule("heel", "visual", 0.021, [0.016, -0.052, 0.08], [0.008, -0.09, 0.083]),
    capsule("wrist", "visual", 0.022, [0, -0.1, 0.085], [0, -0.15, 0.095]),
    capsule("cuff", "visual", 0.032, [0, -0.155, 0.097], [0, -0.16, 0.098]),
    capsule("sleeve", "visual", 0.03, [0, -0.165, 0.1], [0, -0.55, 0.2]),
  ].join("");
}

export const hand: Embodiment = {
  id: "hand",
  variants: ["right", "left"],
  tipRadiusM: 0.022,
  recordsActions: false,
  space: planarDelta,
  stateNames: ["tip x", "tip y"],
  stateUnits: ["m", "m"],
  model: (variant) => ({
    bodies: element(
      "body",
      { name: "hand" },
      element("inertial", { pos: [0, 0, 0], mass: 1, diaginertia: [0.01, 0.01, 0.01] }),
      planarSlides(),
      element("joint", { name: "turn", type: "hinge", axis: [0, 0, 1] }),
      parts(variant === "left" ? -1 : 1),
      element("site", { name: "tip", pos: [0, 0, 0] }),
    ),
    actuators:
      ["tip x", "tip y"].map((joint) => element("position", { name: joint, joint, ...slideGains(1) })).join("") +
      element("position", { name: "turn", joint: "turn", ...slideGains(0.01) }),
  }),
  attach: (simulation, variant) => new HandEffector(simulation, variant === "left" ? -1 : 1),
};

class HandEffector implements Effector {
  private readonly simulation: Simulation;
  private readonly address: number;
  private readonly elbow: readonly [number, number];
  private target: [number, number] = [0, 0];

  constructor(simulation: Simulation, side: 1 | -1) {
    this.simulation = simulation;
    this.address = simulation.joint("tip x").position;
    this.elbow = [side * elbowM[0], elbowM[1]];
  }

  place(tip: readonly [number, number]): void {
    this.target = [tip[0], tip[1]];
    const controls = this.controls();
    this.simulation.setPositions(this.address, controls);
    this.simulation.setControls(controls);
  }

  command(delta: ArrayLike<number>): Float64Array {
    this.target = moveTarget(this.target, delta);
    return this.controls();
  }

  /** Calls Math.atan2: replays take the logged controls. */
  private controls(): Float64Array {
    const [x, y] = this.target;
    return Float64Array.of(x, y, Math.atan2(this.elbow[0] - x, y - this.elbow[1]));
  }

  tip(): [number, number] {
    const [x, y] = this.simulation.positions(this.address, 2);
    return [x!, y!];
  }

  state(): Float32Array {
    return Float32Array.from(this.tip());
  }

  memory(): readonly number[] {
    return [...this.target];
  }

  remember([x, y]: readonly number[]): void {
    this.target = [x!, y!];
  }
}
