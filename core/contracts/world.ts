import type { Observation } from "./observation.ts";

/** One concrete task: everything that decides an episode before the policy acts. */
export type TaskInstance = {
  /** Hash of the whole instance; equal hash, equal episode. */
  readonly hash: string;
  readonly suite: string;
  readonly embodiment: string;
  /** Kind of task inside the suite, for per-kind results ("block-to-block"). */
  readonly task: string;
  readonly instruction: string;
  readonly split: string;
  readonly seed: number;
  /** What the verifier needs, a plain JSON value. */
  readonly goal: unknown;
  /** Initial poses, looks, camera and dynamics, a plain JSON value. */
  readonly initial: unknown;
};

export type StepResult = {
  readonly observation: Observation;
  readonly done: boolean;
  readonly success: boolean;
  /** True when the simulation became unstable: the episode counts for nothing. */
  readonly unstable: boolean;
};

export type WorldSnapshot = { readonly state: Float64Array; readonly step: number; readonly extra: unknown };

export interface World {
  reset(instance: TaskInstance): Observation;
  /** @param action f32[A] in the embodiment's action space; clipped to its limits. */
  step(action: Float32Array): StepResult;
  snapshot(): WorldSnapshot;
  restore(snapshot: WorldSnapshot): void;
}

/** State log of one episode: f64[T, X] with named columns; never holds anything of the policy. */
export type StateLog = { readonly names: readonly string[]; readonly rows: readonly Float64Array[] };

export type Verdict = { readonly success: boolean; readonly reasons: readonly string[] };

/** Pure: judges by the log alone. */
export type Verifier = (log: StateLog, goal: unknown) => Verdict;
