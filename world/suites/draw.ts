import type { TaskInstance } from "#core/contracts/world.ts";
import type { Pusher } from "../embodiments/embodiment.ts";
import { findEmbodiment } from "./index.ts";
import type { PickPlaceConfig } from "./pick-place/config.ts";
import { generatePickInstance } from "./pick-place/instance.ts";
import type { PushConfig } from "./push/config.ts";
import { generatePushInstance } from "./push/instance.ts";
import type { Split } from "./split.ts";

export type SuiteConfig = PushConfig | PickPlaceConfig;

export type InstanceRequest = {
  /** A suite's configuration; it says which suite. */
  readonly suite: SuiteConfig;
  readonly embodiment: string;
  readonly split: Split;
  readonly seed: number;
};

/** Draws one task; equal requests give equal instances. @throws ConfigError when the suite has no such embodiment or split */
export function drawInstance({ suite, embodiment, split, seed }: InstanceRequest): TaskInstance {
  const body = findEmbodiment(embodiment, suite.suite);
  return suite.suite === "push"
    ? generatePushInstance(suite, body as Pusher, split, seed)
    : generatePickInstance(suite, body, split, seed);
}

/** Seeds of one draw: different `seed`s share no instance for the first million draws. */
export const instanceSeed = (seed: number, draw: number) => seed * 1_000_003 + draw;

/**
 * The first `count` tasks of a split: the same for every policy that is measured on them (common random numbers).
 */
export function drawInstances(request: InstanceRequest & { readonly count: number }): TaskInstance[] {
  const { count, seed, ...rest } = request;
  return Array.from({ length: count }, (_, draw) => drawInstance({ ...rest, seed: instanceSeed(seed, draw) }));
}
