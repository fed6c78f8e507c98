import type { StateLog, TaskInstance, Verifier } from "#core/contracts/world.ts";
import type { Embodiment } from "../embodiments/embodiment.ts";
import type { TabletopInitial } from "../tabletop/initial.ts";
import type { Scenery, SuitePhysics } from "../tabletop/model.ts";
import type { Split } from "./split.ts";

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

/** A suite's configuration: names its suite, the rest is the suite's own affair. */
export type SuiteConfig = { readonly suite: string };

/** A family of tasks: all that the world knows of them. How to add one: docs/world.md. */
export interface Suite {
  readonly id: string;
  /**
   * Draws one task of a split: equal arguments, equal instances.
   *
   * @throws ConfigError when the configuration has nothing for this split
   */
  draw(config: SuiteConfig, embodiment: Embodiment, split: Split, seed: number): TaskInstance;
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
