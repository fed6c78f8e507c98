/** @file Conversion as a job for shards: every episode becomes a set of its own, the merge joins them. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { type ConvertOptions, convertDataset } from "./convert-dataset.ts";
import { episodeIndices, pickEpisodes } from "./episode-indices.ts";
import { joinDatasets } from "./join-datasets.ts";
import { mergeShards, runShard, type Shard, type ShardJob, type ShardOptions } from "./shards.ts";

const jobVersion = "convert-2";

export type ConvertJob = Pick<ConvertOptions, "to" | "leaveOut" | "rename" | "pictures"> & {
  /** Episodes that cannot be read are named and left out; otherwise the first one ends the shard. */
  readonly leaveOutBroken: boolean;
};

function jobOf({ info }: EpisodeReader, indices: readonly number[], job: ConvertJob): ShardJob {
  const { to, leaveOut = [], rename = {}, pictures = "video", leaveOutBroken } = job;
  const facts = [jobVersion, to, leaveOut, rename, pictures, leaveOutBroken, info.format, info.fps, info.features];
  return {
    name: "convert",
    hash: createHash("sha256").update(JSON.stringify(facts)).digest("hex"),
    items: indices.map((index) => `episode ${index}`),
  };
}

/** robomimic is a file whose name must say so; results have names of their own. */
const inner = (path: string, to: ConvertOptions["to"]) => (to === "robomimic" ? `${path}/set.hdf5` : path);

/** Version 2.1 keeps an episode's video as it was encoded; one cut out of a joined file of version 3 may differ in bytes. */
const partOf = (to: ConvertOptions["to"]): Pick<ConvertOptions, "to" | "isPart"> =>
  to === "lerobot-v3.0" ? { to: "lerobot-v2.1", isPart: true } : { to, isPart: true };

const problemFile = "problem.txt";

/** Converts one shard's episodes into `directory`; those that are there already are not converted again. */
export async function convertShard(
  directory: string,
  reader: EpisodeReader,
  job: ConvertJob,
  which: Shard,
  options: ShardOptions = {},
): Promise<void> {
  const indices = episodeIndices(reader);
  const work = async (item: string, path: string) => {
    const index = Number(item.slice("episode ".length));
    const { leaveOutBroken: _, ...rest } = job;
    if (job.to === "robomimic") await mkdir(path);
    try {
      await convertDataset(pickEpisodes(reader, [index]), inner(path, job.to), {
        ...rest,
        ...partOf(job.to),
        ...(options.signal ? { signal: options.signal } : {}),
      });
    } catch (error) {
      if (!(error instanceof FormatError) || !job.leaveOutBroken) throw error;
      await rm(path, { recursive: true, force: true });
      await writeFile(path, `${problemFile}\n${index}\n${error.message}\n`);
    }
  };
  await runShard(directory, jobOf(reader, indices, job), which, work, options);
}

export type Merged = {
  readonly episodes: number;
  readonly problems: readonly { readonly episode: number; readonly message: string }[];
};

/**
 * Joins what all shards converted.
 *
 * @throws UserError when a shard is missing, nothing could be converted or the place is taken
 */
export async function mergeConverted(
  directory: string,
  reader: EpisodeReader,
  target: string,
  job: ConvertJob,
  options: Pick<ConvertOptions, "onProgress" | "signal"> = {},
): Promise<Merged> {
  const results = await mergeShards(directory, jobOf(reader, episodeIndices(reader), job));
  const problems: { episode: number; message: string }[] = [];
  const sets: string[] = [];
  for (const path of results) {
    const problem = await readProblem(path);
    if (problem) problems.push(problem);
    else sets.push(inner(path, job.to));
  }
  if (sets.length === 0) throw new FormatError(reader.info.path, "no episode could be converted.");
  return { episodes: await joinDatasets(sets, target, { to: job.to, ...options }), problems };
}

async function readProblem(path: string): Promise<{ episode: number; message: string } | undefined> {
  // A converted episode is a folder, which cannot be read as text.
  const text = await readFile(path, "utf8").catch(() => "");
  const [head, episode, ...message] = text.split("\n");
  return head === problemFile ? { episode: Number(episode), message: message.join("\n").trim() } : undefined;
}
