import type { ActionSpace } from "#core/contracts/action.ts";
import type { Simulation } from "../physics/simulation.ts";
import { reachM, stepLimitM } from "../tabletop/workspace.ts";

/** MJCF pieces that an embodiment adds to the tabletop. */
export type EmbodimentModel = {
  readonly bodies: string;
  readonly actuators: string;
  readonly exclusions?: string;
  readonly equalities?: string;
};

/** What stands for the policy's body in one simulation: turns actions into actuator targets. */
export interface Effector {
  /** Puts the tool at its start (`TabletopInitial.tip`), at rest. @returns the actuator targets f64[U] that hold it there */
  place(tip: readonly number[]): Float64Array;
  /** Does an action f32[A] that is within limits. @returns the new actuator targets f64[U] */
  command(action: ArrayLike<number>): Float64Array;
  /** Bodies that are not driven by their tool: what an action of the tool comes to in their own space, f32[A]. */
  fromTool?(action: ArrayLike<number>): Float32Array;
  /** What the state log keeps of the body, as `logNames` says. */
  logged(): readonly number[];
  /** f32[S] as `stateNames` says. */
  state(): Float32Array;
  /** What `command` remembers between steps, a plain JSON value. */
  memory(): readonly number[];
  remember(memory: readonly number[]): void;
}

export type Setting = "lab" | "home";

/** What bodies are made of; the looks of an episode give each its colour. */
export type Paint = "skin" | "sleeve" | "shell" | "joint" | "tool" | "mark";

export type Embodiment = {
  readonly id: string;
  /** Shapes to choose from; one model is compiled per variant. */
  readonly variants: readonly string[];
  /** `home`: a person filmed at home; `lab`: a robot. Decides what surrounds it. */
  readonly setting: Setting;
  /** False for bodies that stand for people in videos: their actions are truth for probes, never data. */
  readonly recordsActions: boolean;
  /** Its geoms by what they are made of. */
  readonly paint: Readonly<Partial<Record<Paint, readonly string[]>>>;
  /** Cameras of its scenes: `front`, and those that it carries. */
  readonly cameras: readonly string[];
  readonly space: ActionSpace;
  readonly stateNames: readonly string[];
  readonly stateUnits: readonly string[];
  /** Columns of the state log, metres and quaternions; the first two are the tip's x and y. */
  readonly logNames: readonly string[];
  model(variant: string): EmbodimentModel;
  attach(simulation: Simulation, variant: string): Effector;
};

/** A table of bodies. */
export const byId = <Body extends Embodiment>(bodies: readonly Body[]): Readonly<Record<string, Body>> =>
  Object.fromEntries(bodies.map((body) => [body.id, body]));

/** A body that pushes with something round. */
export type Pusher = Embodiment & {
  /** Distance from the tip to a pushed block's surface, metres. */
  readonly tipRadiusM: number;
};

/** Columns of the state log of bodies that move in the plane. */
export const planarLog = ["tip x", "tip y"] as const;

/** The action space of the push suite: metres per control step on the table's axes. */
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
