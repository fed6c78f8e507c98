/** @file Pictures that a LeRobotDataset keeps one by one (dtype "image"): encoded, in a column of the Parquet file. */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Feature } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { openParquet, type ParquetFile, type StoredPicture } from "../parquet.ts";
import type { VideoFrame } from "../video/decode.ts";
import { decodeImages } from "../video/decode-images.ts";
import type { EpisodePlace } from "./episodes.ts";
import { imageKeys } from "./schema.ts";

/** Pictures read at a time: memory holds this many encoded ones, however long the episode is. */
const blockRows = 256;

export type ImageColumns = {
  readonly names: readonly string[];
  /** Encoded pictures (png or jpeg) of the rows [start, end) of an episode. */
  encoded(place: EpisodePlace, name: string, start?: number, end?: number): Promise<readonly Uint8Array[]>;
  /** Decoded pictures with the times of their rows. */
  decode(place: EpisodePlace, name: string, size?: number): AsyncGenerator<VideoFrame>;
};

/** @param folder root of the set; pictures that are not embedded are looked for below it, nowhere else */
export function createImageColumns(folder: string, features: Readonly<Record<string, Feature>>): ImageColumns {
  async function bytesOf(data: string, { bytes, path }: StoredPicture): Promise<Uint8Array> {
    if (bytes) return bytes;
    const file = join(folder, path!);
    if (relative(folder, file).startsWith(".."))
      throw new FormatError(data, `a picture must lie in the data set, but is said to be at ${path}. Embed it.`);
    return readFile(file).catch((cause) => {
      throw new FormatError(file, "the picture is missing. Copy the data set again.", { cause });
    });
  }

  async function readBlock(file: ParquetFile, place: EpisodePlace, name: string, start: number, end: number) {
    const { path, rowStart } = place.data;
    const stored = await file.pictures(name, rowStart + start, rowStart + end);
    return Promise.all(stored.map((picture) => bytesOf(path, picture)));
  }

  async function opened<T>({ data, index, length }: EpisodePlace, use: (file: ParquetFile) => Promise<T>): Promise<T> {
    const file = await openParquet(data.path);
    try {
      if (file.rows < data.rowStart + length)
        throw new FormatError(
          data.path,
          `must have ${length} rows for episode ${index}, got ${file.rows - data.rowStart}. The list of episodes or the file is wrong.`,
        );
      return await use(file);
    } finally {
      await file.close();
    }
  }

  return {
    names: imageKeys(features),
    encoded: (place, name, start = 0, end = place.length) =>
      opened(place, (file) => readBlock(file, place, name, start, end)),
    async *decode(place, name, size) {
      for (let start = 0; start < place.length; start += blockRows) {
        const end = Math.min(place.length, start + blockRows);
        const { images, times } = await opened(place, async (file) => ({
          images: await readBlock(file, place, name, start, end),
          times: (await file.columns(["timestamp"], place.data.rowStart + start, place.data.rowStart + end)).get(
            "timestamp",
          )!,
        }));
        let row = 0;
        for await (const image of decodeImages(place.data.path, images, size ? { size } : {}))
          yield { ...image, timestampS: Number(times[row++]) };
      }
    },
  };
}
