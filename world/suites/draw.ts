import type { TaskInstance } from "#core/contracts/world.ts";
import { findEmbodiment } from "../embodiments/index.ts";
import type { PushConfig } from "./push/config.ts";
import { generatePushInstance } from "./push/instance.ts";
import type { PushSplit } from "./push/splits.ts";

export type InstanceRequest = {
  readonly suite: PushConfig;
  readonly embodiment: string;
  readonly split: PushSplit;
  readonly seed: number;
};

/** Draws one task; equal requests give equal instances. */
export const drawInstance = ({ suite, embodiment, split, seed }: InstanceRequest): TaskInstance =>
  generatePushInstance(suite, findEmbodiment(embodiment), split, seed);

/** Seeds of one draw: different `seed`s share no instance for the first million draws. */
export const instanceSeed = (seed: number, draw: number) => seed * 1_000_003 + draw;

/**
 * The first `count` tasks of a split: the same for every policy that is measured on them (common random numbers).
 */
export function drawInstances(request: InstanceRequest & { readonly count: number }): TaskInstance[] {
  const { count, seed, ...rest } = request;
  return Array.from({ length: count }, (_, draw) => drawInstance({ ...rest, seed: instanceSeed(seed, draw) }));
}
