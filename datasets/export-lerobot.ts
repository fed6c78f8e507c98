/** @file Any data set as a LeRobotDataset, the form that every other tool opens. */
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { ConfigError, FormatError, UserError } from "#core/errors.ts";
import { cameraNames } from "./episode-buffer.ts";
import { automaticFeatures } from "./lerobot/columns.ts";
import type { WritableVersion } from "./lerobot/create-store.ts";
import { createLeRobotWriter, type LeRobotWriter } from "./lerobot/index.ts";

export type ExportOptions = {
  readonly version?: WritableVersion;
  /** Features to leave out, such as text embeddings that only bloat the set. */
  readonly leaveOut?: readonly string[];
  readonly onProgress?: (done: number, total: number) => void;
  /** Hears of episodes that cannot be read and are left out; without it, the first one is an error. */
  readonly onProblem?: (problem: { readonly episode: number; readonly message: string }) => void;
  readonly signal?: AbortSignal;
};

/** Pictures become video; texts that every step repeats become the episode's task. */
function targetFeatures(reader: EpisodeReader, leaveOut: readonly string[]): Record<string, Feature> {
  const kept = Object.entries(reader.info.features).filter(
    ([name, { dtype }]) => dtype !== "string" && !(name in automaticFeatures) && !leaveOut.includes(name),
  );
  return Object.fromEntries(
    kept.map(([name, feature]) => {
      if (feature.dtype !== "image" && feature.dtype !== "video") return [name, feature];
      const [height, width] = feature.shape;
      if (!height || !width || height % 2 !== 0 || width % 2 !== 0) {
        throw new ConfigError(
          `${reader.info.path}: camera "${name}" must have an even size to become video, got [${feature.shape}].`,
        );
      }
      return [name, { dtype: "video", shape: [height, width, 3], names: feature.names }];
    }),
  );
}

/**
 * Writes every episode of `reader` as LeRobot. Pictures are encoded anew: to change the version of a LeRobot set alone,
 * `convertLeRobot` is exact.
 *
 * @returns number of episodes written
 */
export async function exportLeRobot(reader: EpisodeReader, path: string, options: ExportOptions = {}): Promise<number> {
  const { info } = reader;
  const features = targetFeatures(reader, options.leaveOut ?? []);
  const writer = await createLeRobotWriter(path, {
    ...{ fps: info.fps, robotType: info.robotType, features },
    metadata: { convertedFrom: info.format, ...info.metadata, splits: undefined },
    ...(options.version ? { version: options.version } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  let written = 0;
  try {
    for (let index = 0; index < info.episodes; index++) {
      try {
        await writeEpisode(writer, reader, await reader.episode(index), features);
        written++;
      } catch (error) {
        if (!(error instanceof FormatError) || !options.onProblem) throw error;
        await writer.dropEpisode();
        options.onProblem({ episode: index, message: error.message });
      }
      options.onProgress?.(index + 1, info.episodes);
    }
    if (written === 0) throw new UserError(`${info.path}: no episode could be converted.`);
    await writer.finish();
    return written;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function writeEpisode(
  writer: LeRobotWriter,
  reader: EpisodeReader,
  episode: Episode,
  features: Record<string, Feature>,
): Promise<void> {
  const { index, length, tasks, timestampsS, columns } = episode;
  const cameras = cameraNames(features);
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
        images[camera] = next.value;
      }
      const values = Object.keys(features)
        .filter((name) => !cameras.includes(name))
        .map((name) => [name, rowOf(columns[name] as Float64Array | BigInt64Array, frame, length)] as const);
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
