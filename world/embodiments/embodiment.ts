import type { ActionSpace } from "#core/contracts/action.ts";
import type { Simulation } from "../physics/simulation.ts";
import { reachM, stepLimitM } from "../tabletop/workspace.ts";

export type EmbodimentId = "pusher" | "arm" | "hand";

/** MJCF pieces that an embodiment adds to the tabletop. */
export type EmbodimentModel = {
  readonly bodies: string;
  readonly actuators: string;
  readonly exclusions?: string;
};

/** What stands for the policy's body in one simulation: turns actions into actuator targets. */
export interface Effector {
  /** Puts the tip at [x, y], at rest. */
  place(tip: readonly [number, number]): void;
  /** Does an action f32[A] that is within limits. @returns the new actuator targets f64[U] */
  command(action: ArrayLike<number>): Float64Array;
  /** Where the tip is now, metres. */
  tip(): [number, number];
  /** f32[S] as `stateNames` says. */
  state(): Float32Array;
  /** What `command` remembers between steps, a plain JSON value. */
  memory(): readonly number[];
  remember(memory: readonly number[]): void;
}

export type Embodiment = {
  readonly id: EmbodimentId;
  /** Shapes to choose from; one model is compiled per variant. */
  readonly variants: readonly string[];
  /** Distance from the tip to a pushed block's surface, metres. */
  readonly tipRadiusM: number;
  /** False for bodies that stand for people in videos: their actions are truth for probes, never data. */
  readonly recordsActions: boolean;
  readonly space: ActionSpace;
  readonly stateNames: readonly string[];
  readonly stateUnits: readonly string[];
  model(variant: string): EmbodimentModel;
  attach(simulation: Simulation, variant: string): Effector;
};

/** The one action space of the push suite: metres per control step on the table's axes. */
export const planarDelta: ActionSpace = {
  kind: "planar-delta",
  names: ["dx", "dy"],
  units: ["m/step", "m/step"],
  limits: { low: [-stepLimitM, -stepLimitM], high: [stepLimitM, stepLimitM] },
};

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** An action inside its space's limits; a number that is not finite counts as none (0). @param action f32[A] */
export function clipAction({ limits }: ActionSpace, action: ArrayLike<number>): Float32Array {
  return Float32Array.from(limits.low, (low, index) => {
    const value = action[index]!;
    return clamp(Number.isFinite(value) ? value : 0, low, limits.high[index]!);
  });
}

/** Moves a planar target by a delta and keeps it inside the reach. */
export function moveTarget([x, y]: readonly [number, number], delta: ArrayLike<number>): [number, number] {
  return [clamp(x + delta[0]!, -reachM, reachM), clamp(y + delta[1]!, -reachM, reachM)];
}
