import type { Episode, EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError, UserError } from "#core/errors.ts";
import type { ClipSource } from "../clip-source.ts";
import { openParquet } from "../parquet.ts";
import { decodeVideo, type VideoFrame } from "../video/decode.ts";
import { flattenColumn } from "./columns.ts";
import { type EpisodePlace, listEpisodes, readTasks, type VideoPlace, videoKeys } from "./episodes.ts";
import { createImageColumns, type ImageColumns } from "./image-columns.ts";
import { type LeRobotVersion, readLeRobotInfo } from "./info.ts";

/** A LeRobotDataset, with what only this format knows beside the common contract. */
export interface LeRobotReader extends EpisodeReader {
  readonly version: LeRobotVersion;
  /** Places of all episodes by index; an episode may still be missing on disk. */
  readonly episodes: readonly EpisodePlace[];
  /** Texts of all tasks by their number in the column `task_index`. */
  tasks(): Promise<ReadonlyMap<number, string>>;
  /** Names of the video features. */
  readonly cameras: readonly string[];
  /** Cameras whose pictures lie in the Parquet files, one by one, and their encoded pictures. */
  readonly images: ImageColumns;
  /** Frames with their times, seconds from the episode's start. */
  frames(index: number, camera: string, size?: number): AsyncIterable<VideoFrame>;
}

/** Frames of an aggregated file are picked by time; this much of a frame interval absorbs rounding at the seams. */
const seamShare = 0.25;

/** Decoder options for one episode's stretch of a video file. */
export function rangeOf(place: VideoPlace, fps: number): { startS?: number; endS?: number } {
  if (!place.range) return {};
  const slackS = seamShare / fps;
  return { startS: place.range.startS - slackS, endS: place.range.endS - slackS };
}

/**
 * Opens a LeRobotDataset (v2.0, v2.1 or v3.0). Only metadata is read; episodes and pictures when they are asked for.
 *
 * Times are the stored ones, however far they are from 1 / fps. With `size`, pictures are the middle square, scaled.
 *
 * @throws FormatError when the metadata is missing or damaged
 */
export async function openLeRobot(path: string): Promise<LeRobotReader> {
  const meta = await readLeRobotInfo(path);
  const episodes = await listEpisodes(path, meta);
  const places = new Map(episodes.map((place) => [place.index, place]));
  const columnNames = Object.keys(meta.features).filter(
    (key) => !["video", "image"].includes(meta.features[key]!.dtype),
  );

  const placeOf = (index: number): EpisodePlace => {
    const place = places.get(index);
    if (!place) {
      throw new UserError(
        `${path}: has no episode ${index}; it has ${episodes.length} (the last is ${episodes.at(-1)?.index ?? "none"}).`,
      );
    }
    return place;
  };

  const images = createImageColumns(path, meta.features);

  return {
    version: meta.version,
    episodes,
    images,
    cameras: videoKeys(meta),
    tasks: () => readTasks(path, meta),
    info: {
      ...{ path, format: `lerobot-${meta.version}`, fps: meta.fps, robotType: meta.robotType },
      ...{ episodes: meta.episodes, frames: meta.frames, features: meta.features, metadata: meta.metadata },
    },
    async episode(index): Promise<Episode> {
      const { length, tasks, data } = placeOf(index);
      const file = await openParquet(data.path);
      try {
        if (file.rows < data.rowStart + length) {
          throw new FormatError(
            data.path,
            `must have ${length} rows for episode ${index}, got ${file.rows - data.rowStart}. The list of episodes or the file is wrong.`,
          );
        }
        const raw = await file.columns(columnNames, data.rowStart, data.rowStart + length);
        const columns = Object.fromEntries(
          columnNames.map((name) => [name, flattenColumn(data.path, name, meta.features[name]!, raw.get(name)!)]),
        );
        const timestampsS = Float64Array.from((columns.timestamp as Float32Array | undefined) ?? [], Number);
        if (timestampsS.length !== length) throw new FormatError(data.path, 'must have a column "timestamp".');
        return { index, length, tasks, timestampsS, columns };
      } finally {
        await file.close();
      }
    },
    async *frames(index, camera, size): AsyncGenerator<VideoFrame> {
      if (images.names.includes(camera)) return yield* images.decode(placeOf(index), camera, size);
      const { length, videos } = placeOf(index);
      const place = videos[camera];
      if (!place) {
        const names = [...videoKeys(meta), ...images.names];
        throw new UserError(`${path}: has no camera "${camera}"; it has ${names.join(", ") || "none"}.`);
      }
      let count = 0;
      for await (const frame of decodeVideo(place.path, { ...rangeOf(place, meta.fps), ...(size ? { size } : {}) })) {
        count++;
        yield { ...frame, timestampS: frame.timestampS - (place.range?.startS ?? 0) };
      }
      if (count !== length) {
        throw new FormatError(
          place.path,
          `episode ${index} has ${length} rows, but its video has ${count} frames. Rows and pictures cannot be paired.`,
        );
      }
    },
    async close() {},
  };
}

/** The videos of one camera as clips, captioned with the episode's tasks. */
export function clipsOfLeRobot(reader: LeRobotReader, camera: string): ClipSource[] {
  if (!reader.cameras.includes(camera)) {
    throw new UserError(
      `${reader.info.path}: has no camera "${camera}"; it has ${reader.cameras.join(", ") || "none"}.`,
    );
  }
  return reader.episodes.map(({ index, tasks, videos }) => ({
    name: `episode_${String(index).padStart(6, "0")}`,
    path: videos[camera]!.path,
    ...(tasks.length > 0 ? { caption: tasks.join("; ") } : {}),
    ...rangeOf(videos[camera]!, reader.info.fps),
  }));
}
