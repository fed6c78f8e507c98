import type { StateLog, TaskInstance, Verifier } from "#core/contracts/world.ts";
import type { Embodiment } from "../embodiments/embodiment.ts";
import type { TabletopInitial } from "../tabletop/initial.ts";
import type { Scenery, SuitePhysics } from "../tabletop/model.ts";

/** A centre on the table, metres. */
export type Point = readonly [number, number];

/** Where tip and objects truly are, seen from above; suites add what their experts need. */
export type TableTruth = { readonly tip: Point; readonly blocks: Readonly<Record<string, Point>> };

export interface Expert {
  /** Action f32[A] for the next control step. */
  act(truth: TableTruth): Float32Array;
}

export type ExpertOptions = {
  /** Share of episodes in which it first does something wrong and then mends it; default 0. */
  readonly mistakes?: number;
};

/** What the world must know of a suite to run its episodes; each lives in a folder of its own and is listed in index.ts. */
export interface Suite {
  readonly id: string;
  readonly embodiments: Readonly<Record<string, Embodiment>>;
  readonly physics: SuitePhysics;
  /** What stands on the table. */
  scenery(initial: TabletopInitial): Scenery;
  readonly verify: Verifier;
  /** Whether the goal's condition holds on the last rows: the cheap part of `verify`, asked after every step. */
  isMet(log: StateLog, goal: unknown): boolean;
  /** Reads one row of the log. */
  truth(log: StateLog, row: number): TableTruth;
  maxSteps(instance: TaskInstance): number;
  expert(instance: TaskInstance, seed: number | string, options?: ExpertOptions): Expert;
}
