import type { TaskInstance } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import type { PushConfig } from "./push/config.ts";
import { generatePushInstance } from "./push/instance.ts";
import type { PushSplit } from "./push/splits.ts";
import { pushers } from "./push/suite.ts";

export type InstanceRequest = {
  readonly suite: PushConfig;
  readonly embodiment: string;
  readonly split: PushSplit;
  readonly seed: number;
};

/** Draws one task; equal requests give equal instances. @throws ConfigError when the suite has no such embodiment or split */
export function drawInstance({ suite, embodiment, split, seed }: InstanceRequest): TaskInstance {
  const pusher = pushers[embodiment];
  if (pusher) return generatePushInstance(suite, pusher, split, seed);
  throw new ConfigError(
    `embodiment: must be one of ${Object.keys(pushers).join(", ")}, got "${embodiment}". Choose one.`,
  );
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
