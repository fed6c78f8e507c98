/** @file The clips of people's videos that teach something, with what was measured beside them. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { measureClips, selectMeasured } from "#datasets/clips/clip-job.ts";
import { clipListName, writeClipList } from "#datasets/clips/clip-list.ts";
import { clipsConfig } from "#datasets/clips/config.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";
import { openVideoData, type VideoData } from "#lapa/quantizer/index.ts";
import { type ClipMotion, measureMotion, readMotion } from "./human-video-motion.ts";

export type HumanVideos = { readonly data: VideoData; readonly motions: readonly ClipMotion[] };

type Options = {
  readonly videos: string;
  /** Where clips, motion and frames are kept. */
  readonly folder: string;
  readonly python: string;
  readonly size: number;
  readonly fit: "crop" | "stretch";
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

/** A list of the clips that teach something (`datasets clips`); made once. */
async function clipsFolder({ videos, folder, signal, log }: Options): Promise<string> {
  const out = join(folder, "clips");
  if (existsSync(join(videos, clipListName))) return videos;
  if (existsSync(join(out, clipListName))) return out;
  const sources = await listVideoFolder(videos);
  const select = clipsConfig.parse({});
  log(`clips: ${sources.length} videos are looked through`);
  await measureClips(`${out}.measures`, sources, select, { shard: 0, of: 1 }, { signal });
  const { clips, dropped } = await selectMeasured(`${out}.measures`, sources, select);
  for (const { name, reason, detail } of dropped) log(`dropped ${name}: ${reason}, ${detail}`);
  await mkdir(out, { recursive: true });
  writeClipList(join(out, clipListName), clips);
  return out;
}

/** Chooses, measures and opens the clips; what was done before is read. */
export async function openHumanVideos(options: Options): Promise<HumanVideos> {
  const { folder, size, fit, signal } = options;
  const clips = await clipsFolder(options);
  const motion = join(folder, "motion");
  await measureMotion(await listVideoFolder(clips), motion, options);
  const where = {
    videos: [clips],
    datasets: [],
    camera: "",
    episodes: 0,
    fit,
    cache: join(folder, "frames"),
    holdOut: 0,
  };
  const data = await openVideoData(where, { size, signal });
  return { data, motions: data.frames.clips.map((clip) => readMotion(motion, clip)) };
}
