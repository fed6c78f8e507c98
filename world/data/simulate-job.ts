/** @file Simulated data as a job for shards: every episode is written by itself, the merge joins them. */
import { createHash } from "node:crypto";
import { joinLeRobot, type LeRobotReader, openLeRobot } from "#datasets/lerobot/index.ts";
import { mergeShards, runShard, type Shard, type ShardJob, type ShardOptions } from "#datasets/shards.ts";
import type { SimulatedEpisode } from "../episode.ts";
import { openEpisodes, type SourceOptions } from "../simulate.ts";
import { findEmbodiment } from "../suites/index.ts";
import { writeDemonstrations } from "./write-demonstrations.ts";
import { joinVideos, type WriteVideosOptions, writeVideoPart } from "./write-videos.ts";

const jobVersion = "simulate-3";

export type SimulateJob = Omit<SourceOptions, "workers"> & { readonly episodes: number };

function shardJob({ episodes, ...decisive }: SimulateJob): ShardJob {
  return {
    name: "simulate",
    hash: createHash("sha256")
      .update(JSON.stringify([jobVersion, decisive]))
      .digest("hex"),
    items: Array.from({ length: episodes }, (_, index) => `episode ${index}`),
  };
}

async function* alone(episode: SimulatedEpisode) {
  yield episode;
}

/** Plays and writes one shard's episodes into `directory`; those that are there already are not played again. */
export async function simulateShard(
  directory: string,
  job: SimulateJob,
  which: Shard,
  options: ShardOptions = {},
): Promise<void> {
  const { workers = 1, signal } = options;
  const { recordsActions } = findEmbodiment(job.embodiment, job.suite.suite);
  const source = openEpisodes({ ...job, workers });
  try {
    const work = async (item: string, path: string) => {
      const episode = await source.episode(Number(item.slice("episode ".length)));
      if (!recordsActions) return writeVideoPart(path, episode, signal);
      await writeDemonstrations(alone(episode), { directory: path, isPart: true, ...(signal ? { signal } : {}) });
    };
    // One more than plays, so that threads go on while videos are encoded.
    await runShard(directory, shardJob(job), which, work, { ...options, workers: workers + 1 });
  } finally {
    await source.close();
  }
}

/**
 * Joins what all shards wrote: the same bytes as one process would have written.
 *
 * @returns number of episodes
 * @throws UserError when a shard is missing or the place is taken; FormatError when one is damaged
 */
export async function mergeSimulated(directory: string, job: SimulateJob, to: WriteVideosOptions): Promise<number> {
  const parts = await mergeShards(directory, shardJob(job));
  if (!findEmbodiment(job.embodiment, job.suite.suite).recordsActions) return joinVideos(parts, to);
  const readers: LeRobotReader[] = [];
  try {
    for (const part of parts) readers.push(await openLeRobot(part));
    return await joinLeRobot(readers, to.directory, { version: "v3.0", ...(to.signal ? { signal: to.signal } : {}) });
  } finally {
    for (const reader of readers) await reader.close();
  }
}
