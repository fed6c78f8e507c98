import { availableParallelism } from "node:os";
import type { TaskInstance } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import type { SimulatedEpisode } from "./episode.ts";
import type { RolloutResult } from "./evaluation/rollout-result.ts";
import { instanceSeed } from "./suites/draw.ts";
import type { Split } from "./suites/split.ts";
import type { SuiteConfig } from "./suites/suite.ts";
import { openThreads, type Thread } from "./threads/threads.ts";

export type SimulateOptions = {
  readonly suite: SuiteConfig;
  readonly embodiment: string;
  /** Default `train`. */
  readonly split?: Split;
  readonly episodes: number;
  readonly seed: number;
  /** Side of the pictures, pixels. */
  readonly size: number;
  /** Default `front` alone. */
  readonly cameras?: readonly string[];
  /** Threads; default the number of cores, 0: in this one. */
  readonly workers?: number;
  /** Leave out episodes that the expert failed (drawn again from later seeds); default true. */
  readonly onlySuccesses?: boolean;
  /** Share of episodes in which the expert first does something wrong and then mends it; default 0. */
  readonly mistakes?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/** More draws than this for each wanted episode mean that the expert cannot do the task. */
const drawsPerEpisode = 20;

/**
 * Streams episodes of the scripted expert, in order of their index; the same for any number of workers.
 *
 * @throws ConfigError when the expert fails nearly always; the signal's reason when it fires
 */
export async function* simulateEpisodes(options: SimulateOptions): AsyncGenerator<SimulatedEpisode> {
  const { suite, embodiment, split = "train", episodes, seed, size, onlySuccesses = true, signal } = options;
  const { cameras = ["front"], mistakes = 0 } = options;
  const draws = onlySuccesses ? drawsPerEpisode * (episodes + 1) : episodes;
  const play = (thread: Thread, draw: number) =>
    thread.run("simulate", {
      suite,
      embodiment,
      split,
      seed: instanceSeed(seed, draw),
      index: draw,
      size,
      cameras,
      mistakes,
    });
  let index = 0;
  for await (const episode of inOrder(options.workers, draws, play)) {
    signal?.throwIfAborted();
    if (onlySuccesses && !episode.success) continue;
    yield { ...episode, index };
    index += 1;
    options.onProgress?.(index, episodes);
    if (index === episodes) return;
  }
  if (index < episodes) {
    throw new ConfigError(
      `simulation: the expert must solve ${episodes} episodes, but solved ${index} of ${draws}. Make the suite easier.`,
    );
  }
}

export type ExpertOptions = {
  readonly instances: readonly TaskInstance[];
  readonly workers?: number;
  readonly record?: (index: number) => boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/** Plays the scripted expert on every instance, without pictures: the upper bound of what a policy can reach. */
export async function evaluateExpert(options: ExpertOptions): Promise<RolloutResult[]> {
  const { instances, record, onProgress, signal } = options;
  const results: RolloutResult[] = [];
  const play = (thread: Thread, index: number) =>
    thread.run("expert", { instance: instances[index]!, index, record: record?.(index) ?? false });
  for await (const result of inOrder(options.workers, instances.length, play)) {
    signal?.throwIfAborted();
    results.push(result);
    onProgress?.(results.length, instances.length);
  }
  return results;
}

/** Runs jobs 0 to `count` - 1 on threads and yields what they give in order; threads work a little ahead. */
async function* inOrder<T>(
  workers: number | undefined,
  count: number,
  run: (thread: Thread, job: number) => Promise<T>,
): AsyncGenerator<T> {
  const threads = openThreads(Math.min(count, workers ?? availableParallelism()));
  const ahead = 2 * threads.length;
  const queue: Promise<T>[] = [];
  let next = 0;
  const fill = () => {
    for (; next < count && queue.length < ahead; next++) {
      const job = run(threads[next % threads.length]!, next);
      // It is awaited later: until then a failure must not count as unhandled.
      job.catch(() => undefined);
      queue.push(job);
    }
  };
  try {
    for (fill(); queue.length > 0; fill()) yield await queue.shift()!;
  } finally {
    await Promise.all(threads.map((thread) => thread.close()));
  }
}
