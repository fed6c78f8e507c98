/** @file What a writer hands to a layout (version 2.1 or 3.0): whole episodes. */
import type { Episode, Feature } from "#core/contracts/episode.ts";
import type { ParquetColumn } from "../parquet.ts";
import { rowsOfColumn } from "./columns.ts";
import { episodeSchema } from "./schema.ts";
import { columnStatistics, type FeatureStatistics, histogramStatistics, type SampledPictures } from "./statistics.ts";

export type NewEpisode = {
  readonly length: number;
  /** Task of every frame. */
  readonly tasks: readonly string[];
  /** Flat columns of all features but the automatic ones, and `timestamp`. */
  readonly columns: Episode["columns"];
  /** A finished mp4 for every camera; the store moves it away. */
  readonly videos: Readonly<Record<string, string>>;
  /** Encoded pictures (png or jpeg) of every camera that is kept in the Parquet file, one a frame. */
  readonly images?: Readonly<Record<string, readonly Uint8Array[]>>;
  /** Sampled pictures of every camera. */
  readonly pictures: Readonly<Record<string, SampledPictures>>;
};

export interface EpisodeStore {
  add(episode: NewEpisode): Promise<void>;
  /** Writes the metadata. */
  finish(): Promise<void>;
}

export type StoreOptions = {
  /** Temporary folder that becomes the set. */
  readonly folder: string;
  readonly fps: number;
  readonly robotType: string;
  /** Complete, with the automatic ones. */
  readonly features: Readonly<Record<string, Feature>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Tasks that have a number already, in order; further ones follow. */
  readonly tasks?: readonly string[];
  /** The set is a part of one that `joinLeRobot` will write: it keeps what the join must know of its pictures. */
  readonly isPart?: boolean;
};

/** Numbers tasks in the order in which they come up. */
export class TaskTable {
  readonly #indices: Map<string, number>;

  constructor(known: readonly string[] = []) {
    this.#indices = new Map(known.map((task, index) => [task, index]));
  }

  indexOf(task: string): number {
    const known = this.#indices.get(task) ?? this.#indices.size;
    this.#indices.set(task, known);
    return known;
  }

  get entries(): readonly (readonly [string, number])[] {
    return [...this.#indices];
  }
}

/** Adds the columns that LeRobot keeps by itself. */
export function withAutomaticColumns(
  episode: NewEpisode,
  episodeIndex: number,
  firstFrame: number,
  tasks: TaskTable,
): Episode["columns"] {
  const count = (value: (frame: number) => number) =>
    BigInt64Array.from({ length: episode.length }, (_, frame) => BigInt(value(frame)));
  return {
    ...episode.columns,
    frame_index: count((frame) => frame),
    episode_index: count(() => episodeIndex),
    index: count((frame) => firstFrame + frame),
    task_index: count((frame) => tasks.indexOf(episode.tasks[frame]!)),
  };
}

/** Columns as the Parquet file of the set holds them, in the order of the features. */
export function parquetColumns(
  features: Readonly<Record<string, Feature>>,
  columns: Episode["columns"],
  images: NewEpisode["images"] = {},
): ParquetColumn[] {
  return episodeSchema(features).columns.map((column) => {
    const { name, type } = column;
    if (type !== "PICTURE")
      return { ...column, values: rowsOfColumn(features[name]!, columns[name] as ArrayLike<number | bigint | string>) };
    // The names that LeRobot's own writer leaves behind when it embeds its files.
    const path = (frame: number) => `frame-${String(frame).padStart(6, "0")}.png`;
    return { ...column, values: images[name]!.map((bytes, frame) => ({ bytes, path: path(frame) })) };
  });
}

/** Statistics of every feature but texts. */
export function episodeStatistics(
  features: Readonly<Record<string, Feature>>,
  columns: Episode["columns"],
  pictures: NewEpisode["pictures"],
): Record<string, FeatureStatistics> {
  const statistics: Record<string, FeatureStatistics> = {};
  for (const [name, feature] of Object.entries(features)) {
    if (feature.dtype === "string") continue;
    const column = columns[name] as ArrayLike<number | bigint> | undefined;
    const picture = pictures[name];
    const known = picture && histogramStatistics(picture.histogram, picture.frames);
    const isPicture = feature.dtype === "video" || feature.dtype === "image";
    const value = isPicture ? known : column && columnStatistics(feature, column);
    if (value) statistics[name] = value;
  }
  return statistics;
}

/** Features as info.json holds them. */
export const storedFeatures = (features: StoreOptions["features"]): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(features).map(([key, { dtype, shape, names, info }]) => [
      key,
      { dtype, shape, names, ...(info ? { info } : {}) },
    ]),
  );

/** Entries of `extra` whose key is not taken by `own`. */
export const without = (extra: Readonly<Record<string, unknown>>, own: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(extra).filter(([key]) => !(key in own)));
