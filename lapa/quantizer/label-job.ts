/** @file Labelling as a job for shards: every clip is labelled by itself, the merge puts them in a row. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { FormatError } from "#core/errors.ts";
import { describeSource } from "#datasets/clip-source.ts";
import { type ClipProblem, NoUsableVideo, openFrameCache } from "#datasets/frame-cache.ts";
import { framePairs } from "#datasets/frame-pairs.ts";
import { mergeShards, runShard, type Shard, type ShardJob, type ShardOptions } from "#datasets/shards.ts";
import { decoderVersion } from "#datasets/video/decode.ts";
import type { Executor } from "#engine/index.ts";
import { labelHead } from "./label.ts";
import { createQuantizerRunner, type Quantizer } from "./runner.ts";
import {
  hashOfClips,
  listVideoSources,
  requireEachFolder,
  type VideoDataConfig,
  type VideoSource,
} from "./video-data.ts";
import { withEyes } from "./with-eyes.ts";

const jobVersion = "label-1";

const integers = z.array(z.int().nonnegative());
const labelledSchema = z.strictObject({
  hash: z.string(),
  caption: z.string().optional(),
  first: integers,
  second: integers,
  codes: integers,
});
const resultSchema = z.union([labelledSchema, z.strictObject({ path: z.string(), problem: z.string() })]);
type Result = z.infer<typeof resultSchema>;

async function labelJob(
  quantizer: Quantizer,
  where: VideoDataConfig,
  sources: readonly VideoSource[],
): Promise<ShardJob> {
  const facts = [jobVersion, decoderVersion, quantizer.id, where.fit];
  return {
    name: "label",
    hash: createHash("sha256").update(JSON.stringify(facts)).digest("hex"),
    items: await Promise.all(sources.map(describeSource)),
  };
}

/** Labels one shard's clips into `directory`; those that are there already are neither decoded nor labelled again. */
export async function labelShard(
  directory: string,
  quantizer: Quantizer,
  where: VideoDataConfig,
  { executor, shard, of, ...options }: Shard & Omit<ShardOptions, "workers"> & { readonly executor: Executor },
): Promise<void> {
  const { sources } = await listVideoSources(where);
  const job = await labelJob(quantizer, where, sources);
  const bySource = new Map(job.items.map((item, index) => [item, sources[index]!]));
  await withEyes(quantizer, executor, async (seeing) => {
    const runner = createQuantizerRunner(seeing, executor);
    const label = async (source: VideoSource): Promise<Result> => {
      const frames = await openFrameCache([source], {
        ...{ size: quantizer.config.model.imageSize, fit: where.fit, directory: where.cache },
        ...(options.signal ? { signal: options.signal } : {}),
      });
      try {
        const pairs = framePairs(frames.clips, quantizer.config);
        const codes = await runner.encode(frames, pairs, options.signal);
        const [{ hash, caption }] = frames.clips as [(typeof frames.clips)[0]];
        return { hash, caption, first: [...pairs.first], second: [...pairs.second], codes: [...codes] };
      } finally {
        frames.close();
      }
    };
    const work = async (item: string, path: string) => {
      const source = bySource.get(item)!;
      const result = await label(source).catch((error: unknown): Result => {
        if (!(error instanceof NoUsableVideo)) throw error;
        return { path: source.path, problem: error.problems[0]!.message };
      });
      await writeFile(path, JSON.stringify(result));
    };
    try {
      await runShard(directory, job, { shard, of }, work, options);
    } finally {
      await runner.dispose();
    }
  });
}

async function readResult(path: string): Promise<Result> {
  try {
    return resultSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new FormatError(path, "must be the labels of a clip. Remove it and run its shard again.", { cause });
  }
}

/**
 * Joins what all shards labelled: the labels that one process would have made.
 *
 * @throws UserError when a shard is missing or a folder has no usable video; FormatError for a damaged result
 */
export async function mergeLabels(
  directory: string,
  quantizer: Quantizer,
  where: VideoDataConfig,
  source: string,
): Promise<{ labels: LatentLabels; problems: ClipProblem[] }> {
  const { folders, sources } = await listVideoSources(where);
  const paths = await mergeShards(directory, await labelJob(quantizer, where, sources));
  const results = await Promise.all(paths.map(readResult));
  const problems: ClipProblem[] = [];
  const clips: (z.infer<typeof labelledSchema> & { name: string })[] = [];
  for (const [index, result] of results.entries()) {
    if ("problem" in result) problems.push({ path: result.path, message: result.problem });
    else clips.push({ ...result, name: sources[index]!.name });
  }
  requireEachFolder(folders, clips, problems);
  const joined = (name: "first" | "second" | "codes") => Int32Array.from(clips.flatMap((clip) => clip[name]));
  const labels: LatentLabels = {
    ...labelHead(quantizer),
    source: { path: source, hash: hashOfClips(clips) },
    episodes: Int32Array.from(clips.flatMap(({ first }, clip) => first.map(() => clip))),
    ...{ first: joined("first"), second: joined("second"), codes: joined("codes") },
  };
  return { labels, problems };
}
