/** @file Any data set as any format that can be written. */
import { extname } from "node:path";
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { ConfigError, FormatError, UserError } from "#core/errors.ts";
import { cameraNames, type DatasetWriter } from "./episode-buffer.ts";
import { episodeIndices, isLeRobot } from "./episode-indices.ts";
import { createRobomimicWriter } from "./hdf5/writer.ts";
import { automaticFeatures } from "./lerobot/columns.ts";
import { convertLeRobot, createLeRobotWriter } from "./lerobot/index.ts";
import { createMcapSet } from "./mcap/episodes.ts";
import { createRldsWriter, stampFeature } from "./rlds/writer.ts";

export const writableFormats = ["lerobot-v2.1", "lerobot-v3.0", "rlds", "robomimic", "mcap"] as const;
export type WritableFormat = (typeof writableFormats)[number];

export type ConvertOptions = {
  readonly to: WritableFormat;
  /** Features to leave out, such as text embeddings that only bloat the set. */
  readonly leaveOut?: readonly string[];
  /** How LeRobot keeps pictures: as video (default), or one by one without loss. */
  readonly pictures?: "video" | "image";
  /** New names of features, by their old ones. */
  readonly rename?: Readonly<Record<string, string>>;
  /** LeRobot: the set is a part of one that `joinDatasets` will write, default false. */
  readonly isPart?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  /** Hears of episodes that cannot be read and are left out; without it, the first one is an error. */
  readonly onProblem?: (problem: { readonly episode: number; readonly message: string }) => void;
  readonly signal?: AbortSignal;
};

const isToLeRobot = (to: WritableFormat) => to.startsWith("lerobot-");

/** Pictures become video in LeRobot; texts that every step repeats become the episode's task. */
function targetFeatures(
  reader: EpisodeReader,
  { to, leaveOut = [], pictures = "video" }: ConvertOptions,
): Record<string, Feature> {
  const kept = Object.entries(reader.info.features).filter(
    ([name, { dtype }]) =>
      dtype !== "string" && !(name in automaticFeatures) && name !== stampFeature && !leaveOut.includes(name),
  );
  return Object.fromEntries(
    kept.map(([name, feature]) => {
      if (feature.dtype !== "image" && feature.dtype !== "video") return [name, feature];
      const [height, width] = feature.shape;
      if (isToLeRobot(to) && pictures === "video" && (!height || !width || height % 2 !== 0 || width % 2 !== 0)) {
        throw new ConfigError(
          `${reader.info.path}: camera "${name}" must have an even size to become video, got [${feature.shape}]. Leave it out, or keep pictures one by one (--pictures image).`,
        );
      }
      return [name, { dtype: isToLeRobot(to) ? pictures : "video", shape: [height!, width!, 3], names: feature.names }];
    }),
  );
}

type WriterOptions = Parameters<typeof createLeRobotWriter>[1];

function createWriter(to: WritableFormat, path: string, options: WriterOptions): Promise<DatasetWriter> {
  switch (to) {
    case "lerobot-v2.1":
      return createLeRobotWriter(path, { ...options, version: "v2.1" });
    case "lerobot-v3.0":
      return createLeRobotWriter(path, { ...options, version: "v3.0" });
    case "rlds":
      return createRldsWriter(path, options);
    case "mcap":
      return createMcapSet(path, options);
    case "robomimic":
      if (!/^\.(hdf5|h5)$/.test(extname(path)))
        throw new ConfigError(`${path}: robomimic is one file; its name must end with .hdf5.`);
      return createRobomimicWriter(path, options);
  }
}

/**
 * Writes every episode of `reader` in another format, whole or not at all. Between versions of LeRobot nothing is
 * encoded anew: numbers, packets of video and times stay what they were.
 *
 * @returns number of episodes written
 * @throws UserError when nothing could be converted or the place is taken; ConfigError for what the format cannot hold
 */
export async function convertDataset(reader: EpisodeReader, path: string, options: ConvertOptions): Promise<number> {
  const { to, leaveOut = [], rename = {}, pictures = "video", isPart = false } = options;
  const { onProgress, onProblem, signal } = options;
  const unknown = [...leaveOut, ...Object.keys(rename)].find((name) => !(name in reader.info.features));
  if (unknown !== undefined)
    throw new ConfigError(
      `${reader.info.path}: has no feature "${unknown}"; it has ${Object.keys(reader.info.features).join(", ")}.`,
    );
  const callbacks = {
    ...(onProgress ? { onProgress } : {}),
    ...(onProblem ? { onProblem } : {}),
    ...(signal ? { signal } : {}),
  };
  const changes = leaveOut.length + Object.keys(rename).length + (pictures === "image" ? 1 : 0);
  if (isLeRobot(reader) && isToLeRobot(to) && changes === 0) {
    const version = to === "lerobot-v3.0" ? "v3.0" : "v2.1";
    return convertLeRobot(reader, path, { version, isPart, ...callbacks });
  }
  const features = targetFeatures(reader, options);
  const nameOf = (name: string) => rename[name] ?? name;
  const { info } = reader;
  const writer = await createWriter(to, path, {
    ...{ fps: info.fps, robotType: info.robotType, isPart },
    features: Object.fromEntries(Object.entries(features).map(([name, feature]) => [nameOf(name), feature])),
    metadata: { convertedFrom: info.format, ...info.metadata, splits: undefined },
    ...(signal ? { signal } : {}),
  });
  return copyEpisodes(reader, writer, { features, nameOf, ...callbacks });
}

type CopyOptions = Pick<ConvertOptions, "onProgress" | "onProblem" | "signal"> & {
  /** What to copy, under the names of the source. */
  readonly features: Readonly<Record<string, Feature>>;
  nameOf(name: string): string;
};

async function copyEpisodes(reader: EpisodeReader, writer: DatasetWriter, options: CopyOptions): Promise<number> {
  const indices = episodeIndices(reader);
  let written = 0;
  try {
    for (const [done, index] of indices.entries()) {
      options.signal?.throwIfAborted();
      try {
        await copyEpisode(reader, await reader.episode(index), writer, options);
        written++;
      } catch (error) {
        if (!(error instanceof FormatError) || !options.onProblem) throw error;
        await writer.dropEpisode();
        options.onProblem({ episode: index, message: error.message });
      }
      options.onProgress?.(done + 1, indices.length);
    }
    if (written === 0) throw new UserError(`${reader.info.path}: no episode could be converted.`);
    await writer.finish();
    return written;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function copyEpisode(
  reader: EpisodeReader,
  { index, length, tasks, timestampsS, columns }: Episode,
  writer: DatasetWriter,
  { features, nameOf }: CopyOptions,
): Promise<void> {
  const cameras = cameraNames(features);
  const numbers = Object.keys(features).filter((name) => !cameras.includes(name));
  const streams = cameras.map((camera) => reader.frames(index, camera)[Symbol.asyncIterator]());
  await writer.startEpisode(tasks.join("; "));
  try {
    for (let frame = 0; frame < length; frame++) {
      const images: Record<string, Image> = {};
      for (const [number, camera] of cameras.entries()) {
        const next = await streams[number]!.next();
        if (next.done)
          throw new FormatError(
            reader.info.path,
            `episode ${index}: camera "${camera}" has ${frame} pictures for ${length} rows.`,
          );
        images[nameOf(camera)] = next.value;
      }
      const values = numbers.map(
        (name) => [nameOf(name), rowOf(columns[name] as Float64Array, frame, length)] as const,
      );
      await writer.addFrame({ timestampS: timestampsS[frame]!, values: Object.fromEntries(values), images });
    }
    await writer.endEpisode();
  } finally {
    for (const stream of streams) await stream.return?.();
  }
}

function rowOf(column: Float32Array | Float64Array | BigInt64Array, frame: number, length: number): Float64Array {
  const width = column.length / length;
  return Float64Array.from(column.subarray(frame * width, (frame + 1) * width) as Float64Array, Number);
}
