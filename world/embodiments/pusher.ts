import type { Simulation } from "../physics/simulation.ts";
import { element } from "../physics/xml.ts";
import { type Effector, moveTarget, type Pusher, planarDelta, planarLog } from "./embodiment.ts";

const radiusM = 0.02;
const halfLengthM = 0.06;

/** Position gains: critically damped at 80 rad/s, so the tip trails a moving target by 2v/80, about 7 mm at full speed. */
export const slideGains = (massKg: number) => ({ kp: massKg * 80 * 80, kv: 2 * massKg * 80 });

/** Two slides that carry a body over the table. */
export function planarSlides(): string {
  return (
    element("joint", { name: "tip x", type: "slide", axis: [1, 0, 0] }) +
    element("joint", { name: "tip y", type: "slide", axis: [0, 1, 0] })
  );
}

/** A vertical rod that moves in the plane: two slides under position control. */
export const pusher: Pusher = {
  id: "pusher",
  variants: ["rod"],
  tipRadiusM: radiusM,
  setting: "lab",
  recordsActions: true,
  paint: { tool: ["rod"], mark: ["rod cap"] },
  cameras: ["front"],
  space: planarDelta,
  stateNames: ["tip x", "tip y"],
  stateUnits: ["m", "m"],
  logNames: planarLog,
  model: () => ({
    bodies: element(
      "body",
      { name: "pusher", pos: [0, 0, 0.008 + halfLengthM] },
      element("inertial", { pos: [0, 0, 0], mass: 1, diaginertia: [0.002, 0.002, 0.001] }),
      planarSlides(),
      element("geom", { name: "rod", class: "effector", type: "cylinder", size: [radiusM, halfLengthM] }),
      element("geom", {
        name: "rod cap",
        class: "visual",
        type: "cylinder",
        size: [0.014, 0.002],
        pos: [0, 0, halfLengthM + 0.002],
      }),
      element("site", { name: "tip", pos: [0, 0, -halfLengthM] }),
    ),
    actuators: ["tip x", "tip y"]
      .map((joint) => element("position", { name: joint, joint, ...slideGains(1) }))
      .join(""),
  }),
  attach: (simulation) => new PlanarEffector(simulation),
};

class PlanarEffector implements Effector {
  private readonly simulation: Simulation;
  private readonly address: number;
  private target: [number, number] = [0, 0];

  constructor(simulation: Simulation) {
    this.simulation = simulation;
    this.address = simulation.joint("tip x").position;
  }

  place([x, y]: readonly number[]): Float64Array {
    this.target = [x!, y!];
    this.simulation.setPositions(this.address, this.target);
    this.simulation.setControls(this.target);
    return Float64Array.from(this.target);
  }

  command(delta: ArrayLike<number>): Float64Array {
    this.target = moveTarget(this.target, delta);
    return Float64Array.from(this.target);
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
