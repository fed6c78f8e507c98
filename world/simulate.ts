import { availableParallelism } from "node:os";
import type { TaskInstance } from "#core/contracts/world.ts";
import type { SimulatedEpisode } from "./episode.ts";
import type { RolloutResult } from "./evaluation/rollout-result.ts";
import type { Split } from "./suites/split.ts";
import type { SuiteConfig } from "./suites/suite.ts";
import { openThreads } from "./threads/threads.ts";

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
  /** Draw episodes that the expert failed again; default true. */
  readonly onlySuccesses?: boolean;
  /** Share of episodes in which the expert first does something wrong and then mends it; default 0. */
  readonly mistakes?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/** Plays episodes by number, in any order and from several calls at once. Close it when done. */
export type EpisodeSource = {
  /** @throws ConfigError when the expert fails in every draw */
  episode(index: number): Promise<SimulatedEpisode>;
  close(): Promise<void>;
};

export type SourceOptions = Omit<SimulateOptions, "episodes" | "onProgress" | "signal">;

/**
 * Opens threads that play the scripted expert. Episode i is the same for any number of threads and whatever else is
 * played: a failed draw is replaced by a later one of that episode's own.
 */
export function openEpisodes(options: SourceOptions): EpisodeSource {
  const { suite, embodiment, split = "train", seed, size, onlySuccesses = true, cameras = ["front"] } = options;
  const threads = openThreads(options.workers ?? availableParallelism());
  let calls = 0;
  return {
    episode: (index) =>
      threads[calls++ % threads.length]!.run("simulate", {
        ...{ suite, embodiment, split, seed, index, size, cameras, onlySuccesses },
        mistakes: options.mistakes ?? 0,
      }),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/**
 * Streams episodes of the scripted expert, in order of their index; the same for any number of workers.
 *
 * @throws ConfigError when the expert fails nearly always; the signal's reason when it fires
 */
export async function* simulateEpisodes(options: SimulateOptions): AsyncGenerator<SimulatedEpisode> {
  const { episodes, signal, onProgress } = options;
  const workers = Math.min(episodes, options.workers ?? availableParallelism());
  const source = openEpisodes({ ...options, workers });
  try {
    let done = 0;
    for await (const episode of inOrder(2 * Math.max(1, workers), episodes, source.episode)) {
      signal?.throwIfAborted();
      yield episode;
      onProgress?.(++done, episodes);
    }
  } finally {
    await source.close();
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
  const threads = openThreads(Math.min(instances.length, options.workers ?? availableParallelism()));
  const play = (index: number) =>
    threads[index % threads.length]!.run("expert", {
      ...{ instance: instances[index]!, index },
      record: record?.(index) ?? false,
    });
  try {
    for await (const result of inOrder(2 * threads.length, instances.length, play)) {
      signal?.throwIfAborted();
      results.push(result);
      onProgress?.(results.length, instances.length);
    }
    return results;
  } finally {
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

/** Does jobs 0 to `count` - 1, at most `ahead` of them at once, and yields what they give in order. */
async function* inOrder<T>(ahead: number, count: number, run: (job: number) => Promise<T>): AsyncGenerator<T> {
  const queue: Promise<T>[] = [];
  let next = 0;
  const fill = () => {
    for (; next < count && queue.length < ahead; next++) {
      const job = run(next);
      // It is awaited later: until then a failure must not count as unhandled.
      job.catch(() => undefined);
      queue.push(job);
    }
  };
  for (fill(); queue.length > 0; fill()) yield await queue.shift()!;
}
