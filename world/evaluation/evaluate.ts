/**
 * @file Closed-loop evaluation: many worlds are stepped together so that the policy answers in batches, while physics and
 * pictures of other worlds are computed in threads.
 */
import { availableParallelism } from "node:os";
import { type Clock, systemClock } from "#core/clock.ts";
import type { ActionChunk } from "#core/contracts/action.ts";
import type { Observation } from "#core/contracts/observation.ts";
import type { BatchPolicy, Policy } from "#core/contracts/policy.ts";
import type { TaskInstance } from "#core/contracts/world.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { findEmbodiment } from "../suites/index.ts";
import { openThreads, type Thread } from "../threads/threads.ts";
import { type Answer, checkPolicy, pictureSize, readChunks } from "./policy-answers.ts";
import type { RolloutResult } from "./rollout-result.ts";
import type { GroupView } from "./world-group.ts";

export type EvaluateOptions = {
  /** What to solve, all of one embodiment; the same list for every policy that is compared (`drawInstances`). */
  readonly instances: readonly TaskInstance[];
  /** A `BatchPolicy` must not remember episodes; a plain `Policy` plays one after the other and is reset before each. */
  readonly policy: Policy | BatchPolicy;
  /** Actions of a chunk that are executed before the policy is asked again; default: all. */
  readonly executeSteps?: number;
  /** Most observations in one call of the policy; default 32. */
  readonly batch?: number;
  /** Threads for physics and pictures; default 2 or the number of cores, 0: in this one. */
  readonly workers?: number;
  /** Longest wait for one answer, ms; default two minutes, because the first call may compile the policy. */
  readonly timeoutMs?: number;
  /** Which rollouts are logged. */
  readonly record?: (index: number) => boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
};

const isBatchPolicy = (policy: Policy | BatchPolicy): policy is BatchPolicy => "inferBatch" in policy;

/**
 * Plays every instance with the policy.
 *
 * @returns one result per instance, in their order
 * @throws ConfigError when the policy does not fit the embodiment; UserError when it returns nothing in time or numbers
 *   that are not finite; ShapeError when it returns too few; the signal's reason when it fires
 */
export async function evaluatePolicy(options: EvaluateOptions): Promise<RolloutResult[]> {
  const { instances, policy, batch = 32 } = options;
  const { spec } = policy;
  const executeSteps = options.executeSteps ?? spec.chunkLength;
  checkPolicy(policy, findEmbodiment(...oneEmbodiment(instances)), executeSteps);
  const size = pictureSize(spec);
  const cameras = spec.cameras.map(({ name }) => name);
  const workers = options.workers ?? Math.min(2, availableParallelism());
  const groups = isBatchPolicy(policy) ? Math.min(Math.max(2, workers), instances.length) : 1;
  const results = new Array<RolloutResult>(instances.length);
  let done = 0;
  // Whatever ends the evaluation also stops the groups that still wait for an answer.
  const over = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
  const threads = openThreads(Math.min(workers, groups));
  const collect = ({ finished }: GroupView) => {
    for (const result of finished) results[result.index] = result;
    done += finished.length;
    if (finished.length > 0) options.onProgress?.(done, instances.length);
  };

  const runGroup = async (group: number, thread: Thread) => {
    const indices = instances.flatMap((_, index) => (index % groups === group ? [index] : []));
    const record = indices.map((index) => options.record?.(index) ?? false);
    const mine = indices.map((index) => instances[index]!);
    const width = isBatchPolicy(policy) ? batch : 1;
    let view = await thread.run("openGroup", { group, instances: mine, indices, record, width, size, cameras });
    collect(view);
    while (view.slots.length > 0) {
      signal.throwIfAborted();
      const answers = await askPolicy({ ...options, signal }, view, size, executeSteps);
      view = await thread.run("advanceGroup", { group, answers, executeSteps, policyId: spec.policyId });
      collect(view);
    }
  };
  try {
    policy.reset();
    await Promise.all(Array.from({ length: groups }, (_, group) => runGroup(group, threads[group % threads.length]!)));
    return results;
  } finally {
    over.abort(new Error("the evaluation is over"));
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

function oneEmbodiment(instances: readonly TaskInstance[]): readonly [embodiment: string, suite: string] {
  const [first] = instances;
  const names = new Set(instances.map(({ embodiment, suite }) => `${suite} ${embodiment}`));
  if (first && names.size === 1) return [first.embodiment, first.suite];
  const got = [...names].join(", ") || "none";
  throw new ConfigError(
    `evaluation: instances must be of one suite and embodiment, got ${got}. Evaluate each by itself.`,
  );
}

/** The view's observations in, one chunk for each out. */
async function askPolicy(
  {
    policy,
    instances,
    signal,
    timeoutMs = 120_000,
    clock = systemClock,
  }: EvaluateOptions & { readonly signal: AbortSignal },
  view: GroupView,
  size: number,
  steps: number,
): Promise<Answer[]> {
  const { cameras } = policy.spec;
  const pixels = size * size * 3;
  const observations = view.slots.map(({ instruction, stampNs, state }, row): Observation => {
    const images = cameras.map(({ name }, place) => {
      const start = (row * cameras.length + place) * pixels;
      return [name, { data: view.frames.subarray(start, start + pixels), height: size, width: size }] as const;
    });
    return { images: Object.fromEntries(images), state, instruction, stampNs };
  });
  const ask = async (cancel: AbortSignal): Promise<ActionChunk[]> => {
    if (isBatchPolicy(policy)) return policy.inferBatch(observations, cancel);
    if (view.slots[0]!.isFirst) policy.reset();
    return [await policy.infer(observations[0]!, cancel)];
  };
  const chunks = await inTime(ask, timeoutMs, clock, signal, policy.spec.policyId);
  const names = view.slots.map(({ index }) => `instance ${index} (${instances[index]!.hash.slice(0, 12)})`);
  return readChunks(chunks, policy.spec, steps, names);
}

/** The answer, or an error after `timeoutMs`; whatever is still running is told through its signal. */
async function inTime<T>(
  ask: (cancel: AbortSignal) => Promise<T>,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
  policyId: string,
): Promise<T> {
  const late = new AbortController();
  const answered = new AbortController();
  const cancel = AbortSignal.any([signal, late.signal]);
  const stop = AbortSignal.any([signal, answered.signal]);
  const wait = clock.sleep(timeoutMs, stop).then(() => {
    const error = new UserError(
      `policy "${policyId}": must answer within ${timeoutMs} ms, got nothing. Look at its process or allow it more time.`,
    );
    late.abort(error);
    throw error;
  });
  try {
    return await Promise.race([ask(cancel), wait]);
  } finally {
    answered.abort();
    wait.catch(() => undefined);
  }
}
