/** @file What a quantizer learns from: folders of videos, and data sets of robots whose actions are known. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { DatasetInfo } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import {
  type CachedClip,
  type ClipProblem,
  type ClipSource,
  type FrameCache,
  NoUsableVideo,
  openFrameCache,
} from "#datasets/frame-cache.ts";
import { clipsOfLeRobot, type LeRobotReader, openLeRobot } from "#datasets/lerobot/index.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";

export const videoDataConfig = z.strictObject({
  videos: z.array(z.string()).default([]).describe("folders of videos, separated by commas"),
  datasets: z.array(z.string()).default([]).describe("LeRobot data sets whose videos and actions are used too"),
  camera: z.string().default("").describe("camera of the data sets; empty: their only one"),
  episodes: z.number().int().min(0).default(0).describe("first episodes of each data set that are used; 0: all"),
  fit: z
    .enum(["crop", "stretch"])
    .default("crop")
    .describe("how a picture becomes square: middle cut out, or squeezed"),
  cache: z.string().default(".cache/frames").describe("folder of decoded frames"),
  holdOut: z.number().min(0).max(0.9).default(0.1).describe("share of the clips that is kept out of training"),
});

export type VideoDataConfig = z.infer<typeof videoDataConfig>;

/** A clip that comes from a data set: its recorded numbers. */
export type RecordedClip = {
  readonly dataset: DatasetInfo;
  readonly episode: number;
  /** f32[T, A] */
  readonly actions: Float32Array;
  /** f32[T, S], where the set has a state. */
  readonly states: Float32Array | undefined;
};

export type VideoData = {
  readonly frames: FrameCache;
  /** One per clip; `undefined` for clips without actions. */
  readonly recorded: readonly (RecordedClip | undefined)[];
  /** One per clip: true where training must not look. */
  readonly heldOut: readonly boolean[];
  /** Hash of everything that was opened. */
  readonly hash: string;
  readonly problems: readonly ClipProblem[];
  close(): void;
};

export type VideoSource = ClipSource & { readonly record?: () => Promise<RecordedClip> };

const floats = (values: unknown): Float32Array | undefined =>
  values instanceof Float32Array || values instanceof Float64Array ? Float32Array.from(values) : undefined;

/** The camera that was asked for, or the only one. */
export function chooseCamera(reader: LeRobotReader, asked: string): string {
  const names = reader.cameras;
  const found = names.find((name) => name === asked || name.endsWith(`.${asked}`));
  if (asked !== "" && found !== undefined) return found;
  if (asked === "" && names.length === 1) return names[0]!;
  const problem = asked === "" ? `has ${names.length} cameras` : `has no camera "${asked}"`;
  throw new UserError(`${reader.info.path}: ${problem}: ${names.join(", ") || "none"}. Choose one with --camera.`);
}

async function recordedClip(reader: LeRobotReader, episode: number): Promise<RecordedClip> {
  const { columns } = await reader.episode(episode);
  const actions = floats(columns.action);
  if (actions === undefined) {
    throw new UserError(`${reader.info.path}: must have a column "action" of numbers. Use --videos for it instead.`);
  }
  return { dataset: reader.info, episode, actions, states: floats(columns["observation.state"]) };
}

async function datasetSources(path: string, config: VideoDataConfig): Promise<VideoSource[]> {
  const reader = await openLeRobot(path);
  const clips = clipsOfLeRobot(reader, chooseCamera(reader, config.camera));
  const chosen = config.episodes > 0 ? clips.slice(0, config.episodes) : clips;
  return chosen.map((clip, place) => ({
    ...clip,
    name: `${path}/${clip.name}`,
    record: () => recordedClip(reader, reader.episodes[place]!.index),
  }));
}

/** Decided by the clip's content alone, so that adding videos moves none between training and evaluation. */
function isHeldOut(clip: CachedClip, share: number): boolean {
  const digest = createHash("sha256").update(`hold-out/${clip.hash}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32 < share;
}

/** Everything that was named, in order. @throws UserError when nothing was */
export async function listVideoSources(config: VideoDataConfig): Promise<{
  /** Clips of each folder of videos. */
  readonly folders: readonly (readonly VideoSource[])[];
  /** Those of the folders, then those of the data sets. */
  readonly sources: readonly VideoSource[];
}> {
  if (config.videos.length + config.datasets.length === 0) {
    throw new UserError("videos: must name at least one folder, got none. Pass --videos DIR or --datasets DIR.");
  }
  const folders = await Promise.all(
    config.videos.map(async (folder) => {
      const clips = await listVideoFolder(folder);
      return clips.map((clip): VideoSource => ({ ...clip, name: `${folder}/${clip.name}` }));
    }),
  );
  const sets = await Promise.all(config.datasets.map((path) => datasetSources(path, config)));
  return { folders, sources: [...folders, ...sets].flat() };
}

/** A folder of which nothing can be used, beside others of which something can, must not go unseen. */
export function requireEachFolder(
  folders: readonly (readonly ClipSource[])[],
  clips: readonly Pick<CachedClip, "name">[],
  problems: readonly ClipProblem[],
): void {
  const usable = new Set(clips.map(({ name }) => name));
  for (const folder of folders) {
    if (folder.some(({ name }) => usable.has(name))) continue;
    const paths = new Set(folder.map(({ path }) => path));
    throw new NoUsableVideo(problems.filter(({ path }) => paths.has(path)));
  }
}

/** Hash of everything that was opened: labels of it are labels of nothing else. */
export function hashOfClips(
  clips: readonly { readonly hash: string; readonly caption?: string | undefined }[],
): string {
  const lines = clips.map(({ hash, caption }) => `${hash} ${caption ?? ""}`);
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16);
}

/**
 * Decodes and opens all clips.
 *
 * @throws UserError when nothing was named; NoUsableVideo when a folder holds no video or none that is usable
 */
export async function openVideoData(
  config: VideoDataConfig,
  options: { size: number; signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<VideoData> {
  const { folders, sources } = await listVideoSources(config);
  const frames = await openFrameCache(sources, { ...options, fit: config.fit, directory: config.cache });
  try {
    requireEachFolder(folders, frames.clips, frames.problems);
    const byName = new Map(sources.map((source) => [source.name, source]));
    const recorded = await Promise.all(frames.clips.map((clip) => byName.get(clip.name)?.record?.()));
    return {
      frames,
      recorded,
      heldOut: frames.clips.map((clip) => isHeldOut(clip, config.holdOut)),
      hash: hashOfClips(frames.clips),
      problems: frames.problems,
      close: () => frames.close(),
    };
  } catch (error) {
    frames.close();
    throw error;
  }
}
