/** @file Choosing clips as a job for shards: each video is measured once, then all are judged together. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { FormatError } from "#core/errors.ts";
import { type ClipSource, describeSource } from "../clip-source.ts";
import { mergeShards, runShard, type Shard, type ShardJob, type ShardOptions } from "../shards.ts";
import { decoderVersion } from "../video/decode.ts";
import type { ClipsConfig } from "./config.ts";
import { judgeScenes, type Selection } from "./select-clips.ts";
import { measureScenes, scenesVersion, type VideoScenes, videoScenesSchema } from "./video-scenes.ts";

/** Only what decides the measures is part of the job, so that other limits judge the same measures anew. */
async function clipJob(sources: readonly ClipSource[], config: ClipsConfig): Promise<ShardJob> {
  const { cutThreshold, minimumScene } = config;
  const settings = JSON.stringify([scenesVersion, decoderVersion, cutThreshold, minimumScene]);
  const items = await Promise.all(sources.map(describeSource));
  return { name: "clips", hash: createHash("sha256").update(settings).digest("hex"), items };
}

/** Measures one shard's videos into `directory`; those that are there already are not measured again. */
export async function measureClips(
  directory: string,
  sources: readonly ClipSource[],
  config: ClipsConfig,
  which: Shard,
  options: ShardOptions = {},
): Promise<void> {
  const job = await clipJob(sources, config);
  const places = new Map(job.items.map((item, index) => [item, sources[index]!.path]));
  const work = async (item: string, path: string) =>
    writeFile(path, JSON.stringify(await measureScenes(places.get(item)!, config, options.signal)));
  await runShard(directory, job, which, work, options);
}

/** Judges what all shards measured. @throws UserError when a shard is missing; FormatError when a measure is damaged */
export async function selectMeasured(
  directory: string,
  sources: readonly ClipSource[],
  config: ClipsConfig,
): Promise<Selection> {
  const paths = await mergeShards(directory, await clipJob(sources, config));
  const measured: VideoScenes[] = [];
  for (const path of paths) {
    try {
      measured.push(videoScenesSchema.parse(JSON.parse(await readFile(path, "utf8"))));
    } catch (cause) {
      throw new FormatError(path, "must be the measures of a video. Remove it and run its shard again.", { cause });
    }
  }
  return judgeScenes(sources, measured, config);
}
