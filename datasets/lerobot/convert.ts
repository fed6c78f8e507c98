/** @file Between versions of a LeRobotDataset without loss: numbers as they are, pictures as packets, true times. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Episode } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { cutVideo, packetTimes } from "../video/concat.ts";
import { decodeVideo } from "../video/decode.ts";
import { requireVideoFile } from "../video/video-error.ts";
import { automaticFeatures } from "./columns.ts";
import { createStore, type WritableVersion } from "./create-store.ts";
import type { EpisodePlace, VideoPlace } from "./episodes.ts";
import { type PartPictures, readPartPictures } from "./part-pictures.ts";
import { type LeRobotReader, rangeOf } from "./reader.ts";
import { createSetFolder } from "./set-folder.ts";
import { ImageStatistics, type SampledPictures } from "./statistics.ts";
import type { NewEpisode } from "./store.ts";

export type ConvertOptions = {
  readonly version: WritableVersion;
  /** The new set is itself a part of one that `joinLeRobot` will write, default false. */
  readonly isPart?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  /** Hears of episodes that cannot be converted and are left out; without it, the first one is an error. */
  readonly onProblem?: (problem: { readonly episode: number; readonly message: string }) => void;
  readonly signal?: AbortSignal;
};

/**
 * Writes `reader`'s episodes as another version. Episodes are numbered anew where some are left out.
 *
 * @returns number of episodes written
 * @throws UserError when nothing could be converted or the place is taken; nothing is left behind then
 */
export const convertLeRobot = (reader: LeRobotReader, path: string, options: ConvertOptions): Promise<number> =>
  copyEpisodes([{ reader }], path, options);

/**
 * Writes the episodes of several sets, each written as a part, as one, in order: the bytes that a single writer of all
 * episodes leaves.
 *
 * @returns number of episodes written
 * @throws UserError as `convertLeRobot`, and when the sets differ in rate or features; FormatError for a set that is no
 *   part
 */
export async function joinLeRobot(
  readers: readonly LeRobotReader[],
  path: string,
  options: ConvertOptions,
): Promise<number> {
  const parts: Source[] = [];
  for (const reader of readers) parts.push({ reader, known: await readPartPictures(reader.info.path) });
  return copyEpisodes(parts, path, options);
}

/** Where episodes come from; of a part, the pictures are known, of others they are decoded. */
type Source = { readonly reader: LeRobotReader; readonly known?: PartPictures };

async function copyEpisodes(sources: readonly Source[], path: string, options: ConvertOptions): Promise<number> {
  const readers = sources.map(({ reader }) => reader);
  const [first] = readers as [LeRobotReader];
  for (const reader of readers) requireAlike(first, reader);
  const folder = await createSetFolder(path);
  try {
    const { fps, robotType, features } = first.info;
    const { splits: _, ...metadata } = first.info.metadata;
    const tasks = [...new Set((await Promise.all(readers.map(orderedTasks))).flat())];
    const { isPart = false } = options;
    const common = { folder: folder.path, fps, robotType, features, metadata, tasks, isPart };
    const store = createStore(options.version, common);
    const all = sources.flatMap((source) => source.reader.episodes.map((place) => [source, place] as const));
    let written = 0;
    for (const [done, [source, place]] of all.entries()) {
      options.signal?.throwIfAborted();
      try {
        await store.add(await loadEpisode(source, place, folder.parts));
        written++;
      } catch (error) {
        if (!(error instanceof FormatError) || !options.onProblem) throw error;
        options.onProblem({ episode: place.index, message: error.message });
      }
      options.onProgress?.(done + 1, all.length);
    }
    if (written === 0) throw new UserError(`${first.info.path}: no episode could be converted.`);
    await store.finish();
    await folder.publish();
    return written;
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

const orderedTasks = async (reader: LeRobotReader): Promise<string[]> =>
  [...(await reader.tasks())].sort(([left], [right]) => left - right).map(([, task]) => task);

function requireAlike(first: LeRobotReader, other: LeRobotReader): void {
  const shapeOf = ({ info }: LeRobotReader) =>
    JSON.stringify([info.fps, Object.entries(info.features).map(([name, { dtype, shape }]) => [name, dtype, shape])]);
  if (shapeOf(first) === shapeOf(other)) return;
  throw new UserError(
    `${other.info.path}: must have the rate and the features of ${first.info.path}, but differs. Join sets of one kind.`,
  );
}

async function loadEpisode({ reader, known }: Source, place: EpisodePlace, parts: string): Promise<NewEpisode> {
  const { length, columns } = await reader.episode(place.index);
  const names = await reader.tasks();
  const taskOf = columns.task_index as BigInt64Array | undefined;
  const kept = Object.entries(columns).filter(([name]) => name === "timestamp" || !(name in automaticFeatures));
  const videos: Record<string, string> = {};
  const images: Record<string, readonly Uint8Array[]> = {};
  const pictures: Record<string, SampledPictures> = {};
  const sample = async (camera: string, decode: () => AsyncIterable<Image>) => {
    pictures[camera] = known ? knownPictures(reader, known, place, camera) : await samplePictures(decode());
  };
  for (const [index, camera] of reader.cameras.entries()) {
    const file = join(parts, `${index}.mp4`);
    await copyStretch(place.videos[camera]!, file, length, reader.info.fps);
    videos[camera] = file;
    await sample(camera, () => decodeVideo(file));
  }
  for (const camera of reader.images.names) {
    images[camera] = await reader.images.encoded(place, camera);
    await sample(camera, () => reader.images.decode(place, camera));
  }
  return {
    ...{ length, videos, images, pictures, columns: Object.fromEntries(kept) as Episode["columns"] },
    tasks: Array.from({ length }, (_, frame) => names.get(Number(taskOf?.[frame])) ?? place.tasks[0] ?? ""),
  };
}

async function samplePictures(images: AsyncIterable<Image>): Promise<SampledPictures> {
  const statistics = new ImageStatistics();
  for await (const { data, height, width } of images) statistics.add(data, height, width);
  return statistics.finish();
}

function knownPictures(
  { info }: LeRobotReader,
  known: PartPictures,
  { index }: EpisodePlace,
  camera: string,
): SampledPictures {
  const pictures = known.get(index)?.[camera];
  if (pictures) return pictures;
  throw new FormatError(info.path, `must hold the histograms of episode ${index}, camera "${camera}", as a part does.`);
}

/** The episode's part of a video, packet by packet; the times stay those from the episode's start. */
async function copyStretch(video: VideoPlace, file: string, length: number, fps: number): Promise<void> {
  await requireVideoFile(video.path);
  const { startS = Number.NEGATIVE_INFINITY, endS = Number.POSITIVE_INFINITY } = rangeOf(video, fps);
  const times = (await packetTimes(video.path)).filter((time) => time >= startS && time < endS);
  if (times.length !== length) {
    throw new FormatError(video.path, `must have ${length} frames as the episode has rows, got ${times.length}.`);
  }
  if (!video.range) return copyFile(video.path, file);
  return cutVideo(video.path, file, { startS: times[0]!, frames: length, newStartS: times[0]! - video.range.startS });
}
