import type { TaskInstance } from "#core/contracts/world.ts";
import { findEmbodiment, findSuite } from "./index.ts";
import type { Split } from "./split.ts";
import type { SuiteConfig } from "./suite.ts";

export type InstanceRequest = {
  /** A suite's configuration; it says which suite. */
  readonly suite: SuiteConfig;
  readonly embodiment: string;
  readonly split: Split;
  readonly seed: number;
};

/** Draws one task; equal requests give equal instances. @throws ConfigError when the suite has no such embodiment or split */
export function drawInstance({ suite, embodiment, split, seed }: InstanceRequest): TaskInstance {
  return findSuite(suite.suite).draw(suite, findEmbodiment(embodiment, suite.suite), split, seed);
}

/** Seeds of one draw: different `seed`s share no instance for the first million draws. */
export const instanceSeed = (seed: number, draw: number) => seed * 1_000_003 + draw;

/** Seed of the task of an episode that must be solved, after so many failed draws; none is another's. */
export const attemptSeed = (seed: number, episode: number, attempt: number) =>
  instanceSeed(seed, episode) + attempt * 2 ** 42;

/**
 * The first `count` tasks of a split: the same for every policy that is measured on them (common random numbers).
 */
export function drawInstances(request: InstanceRequest & { readonly count: number }): TaskInstance[] {
  const { count, seed, ...rest } = request;
  return Array.from({ length: count }, (_, draw) => drawInstance({ ...rest, seed: instanceSeed(seed, draw) }));
}
