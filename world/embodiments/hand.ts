/**
 * @file A person's hand seen in a video: fingers bunched on the table, palm above the blocks, forearm and sleeve coming
 * from the viewer's side. What touches the blocks is an unseen cylinder around the fingertips: bunched fingers push like
 * one round thing. The forearm keeps pointing back to an elbow, so the hand turns as it moves.
 */
import { arcTangent2 } from "#core/geometry/trigonometry.ts";
import type { Simulation } from "../physics/simulation.ts";
import { element } from "../physics/xml.ts";
import { type Effector, moveTarget, type Pusher, planarDelta, planarLog } from "./embodiment.ts";
import { planarSlides, slideGains } from "./pusher.ts";

/** Where the forearm points back to, metres; x is mirrored for a left hand. */
const elbowM = [0.14, -0.7] as const;

/** Radius of the bunch of fingertips, metres. */
const bunchRadiusM = 0.022;

type Point = readonly [x: number, y: number, z: number];

/** Fingertip, middle joint and knuckle of a right hand, metres in the hand's frame, and the finger's radius. */
const fingers: Readonly<Record<string, readonly [tip: Point, middle: Point, knuckle: Point, radius: number]>> = {
  index: [[-0.011, 0.004, 0.016], [-0.0135, -0.001, 0.046], [-0.02, -0.036, 0.083], 0.0093],
  middle: [[0.002, 0.008, 0.015], [0.001, 0.003, 0.05], [0, -0.032, 0.087], 0.0102],
  ring: [[0.013, 0.003, 0.016], [0.0145, -0.002, 0.046], [0.019, -0.036, 0.083], 0.0093],
  thumb: [[-0.006, -0.012, 0.017], [-0.012, -0.017, 0.044], [-0.034, -0.052, 0.07], 0.0102],
};

const handSkin = [...Object.keys(fingers).flatMap((name) => [name, `${name} base`]), "palm", "heel", "wrist"] as const;
const handSleeve = ["sleeve", "cuff"] as const;

function parts(side: 1 | -1): string {
  const capsule = (name: string, radius: number, from: Point, to: Point) =>
    element("geom", {
      name,
      class: "visual",
      type: "capsule",
      size: [radius],
      fromto: [side * from[0], from[1], from[2], side * to[0], to[1], to[2]],
    });
  return [
    element("geom", {
      name: "bunch",
      class: "effector",
      type: "cylinder",
      size: [bunchRadiusM, 0.02],
      pos: [0, 0, 0.028],
      rgba: [0, 0, 0, 0],
    }),
    ...Object.entries(fingers).flatMap(([name, [tip, middle, knuckle, radius]]) => [
      capsule(name, radius, tip, middle),
      capsule(`${name} base`, radius, middle, knuckle),
    ]),
    capsule("palm", 0.021, [-0.014, -0.052, 0.082], [-0.01, -0.085, 0.083]),
    capsule("heel", 0.021, [0.016, -0.052, 0.08], [0.008, -0.09, 0.083]),
    capsule("wrist", 0.022, [0, -0.1, 0.085], [0, -0.15, 0.095]),
    capsule("cuff", 0.032, [0, -0.155, 0.097], [0, -0.16, 0.098]),
    capsule("sleeve", 0.03, [0, -0.165, 0.1], [0, -0.95, 0.3]),
  ].join("");
}

export const hand: Pusher = {
  id: "hand",
  variants: ["right", "left"],
  tipRadiusM: bunchRadiusM,
  setting: "home",
  recordsActions: false,
  paint: { skin: handSkin, sleeve: handSleeve },
  cameras: ["front"],
  space: planarDelta,
  stateNames: ["tip x", "tip y"],
  stateUnits: ["m", "m"],
  logNames: planarLog,
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

  place([x, y]: readonly number[]): Float64Array {
    this.target = [x!, y!];
    const controls = this.controls();
    this.simulation.setPositions(this.address, controls);
    this.simulation.setControls(controls);
    return controls;
  }

  command(delta: ArrayLike<number>): Float64Array {
    this.target = moveTarget(this.target, delta);
    return this.controls();
  }

  private controls(): Float64Array {
    const [x, y] = this.target;
    return Float64Array.of(x, y, arcTangent2(this.elbow[0] - x, y - this.elbow[1]));
  }

  logged(): readonly number[] {
    return [...this.simulation.positions(this.address, 2)];
  }

  state(): Float32Array {
    return Float32Array.from(this.logged());
  }

  memory(): readonly number[] {
    return [...this.target];
  }

  remember([x, y]: readonly number[]): void {
    this.target = [x!, y!];
  }
}
