import type { Image } from "./image.ts";

export type FeatureType = "float32" | "float64" | "int64" | "int32" | "bool" | "string" | "video" | "image";

/** One column of a data set; `shape` excludes time. `names` label the last axis where known. */
export type Feature = {
  readonly dtype: FeatureType;
  readonly shape: readonly number[];
  readonly names: readonly string[] | null;
  /** Codec, pixel format, fps and the like for video features. */
  readonly info?: Readonly<Record<string, unknown>>;
};

export type DatasetInfo = {
  readonly path: string;
  readonly format: string;
  readonly fps: number;
  readonly robotType: string;
  readonly episodes: number;
  readonly frames: number;
  readonly features: Readonly<Record<string, Feature>>;
  /** Free JSON that travels with the set: renderer id, action space, embodiment. */
  readonly metadata: Readonly<Record<string, unknown>>;
};

/**
 * One episode without its pictures. `columns[name]` is f32/f64/bigint [T, ...shape] row-major;
 * `timestampsS` f64[T] are the true capture times in seconds from the episode's start.
 */
export type Episode = {
  readonly index: number;
  readonly length: number;
  readonly tasks: readonly string[];
  readonly timestampsS: Float64Array;
  readonly columns: Readonly<Record<string, Float32Array | Float64Array | BigInt64Array | readonly string[]>>;
};

export interface EpisodeReader {
  readonly info: DatasetInfo;
  /** @throws FormatError when the episode is missing or broken; other episodes stay readable. */
  episode(index: number): Promise<Episode>;
  /** All frames of one camera, in presentation order, at the stored size or scaled to `size` (square). */
  frames(index: number, camera: string, size?: number): AsyncIterable<Image>;
  close(): Promise<void>;
}

export type EpisodeFrame = {
  readonly timestampS: number;
  readonly values: Readonly<Record<string, Float32Array | Float64Array>>;
  readonly images: Readonly<Record<string, Image>>;
};

export interface EpisodeWriter {
  /** Opens an episode; frames are streamed, nothing is visible to readers until `endEpisode`. */
  startEpisode(task: string): Promise<void>;
  addFrame(frame: EpisodeFrame): Promise<void>;
  endEpisode(): Promise<void>;
  /** Writes the metadata and makes the set readable. */
  finish(): Promise<void>;
}
