import type { TaskInstance } from "#core/contracts/world.ts";
import {
  evaluateExpert,
  evaluatePolicy,
  findEmbodiment,
  findSuite,
  type RolloutResult,
  randomPolicy,
  zeroPolicy,
} from "#world/index.ts";
import type { Context } from "../command.ts";
import { openPolicy } from "../policy.ts";
import type { openEngine } from "../training.ts";

export type PlaySettings = {
  /** A checkpoint, a server's address, or `expert`, `zero`, `random`. */
  readonly where: string;
  readonly instances: readonly TaskInstance[];
  /** 0: all of a chunk. */
  readonly executeSteps: number;
  readonly timeoutMs: number;
  readonly workers: number;
  readonly seed: number;
  readonly engine: Parameters<typeof openEngine>[0];
  readonly record: (index: number) => boolean;
};

/** Observations in one call of a checkpoint. */
const batch = 32;

/** Plays every instance with the named policy. */
export async function playInstances(settings: PlaySettings, context: Context): Promise<RolloutResult[]> {
  const { where, instances, executeSteps, ...rest } = settings;
  const progress = context.progress(where, instances.length, "rollouts");
  const onProgress = (done: number) => progress.update(done);
  const shared = { instances, record: rest.record, workers: rest.workers, signal: context.signal, onProgress };
  if (where === "expert") {
    const results = await evaluateExpert(shared);
    progress.finish();
    return results;
  }
  const { policy, close } = await openNamed(settings, context);
  try {
    const steps = executeSteps > 0 ? { executeSteps } : {};
    const results = await evaluatePolicy({ ...shared, ...steps, policy, timeoutMs: rest.timeoutMs });
    progress.finish();
    return results;
  } finally {
    await close();
  }
}

async function openNamed({ where, instances, seed, engine }: PlaySettings, context: Context) {
  const [first] = instances;
  if (!first || (where !== "zero" && where !== "random")) return openPolicy(where, engine, context, batch);
  const { space } = findEmbodiment(first.embodiment, first.suite);
  const floor = { space, rateHz: findSuite(first.suite).physics.rateHz };
  const policy = where === "zero" ? zeroPolicy(floor) : randomPolicy({ ...floor, seed });
  return { policy, close: async () => undefined };
}
