import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Episode, EpisodeReader } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { decodeImages } from "../video/decode-images.ts";
import { middleSquare } from "../video/resize.ts";
import { type Dataset, type Hdf5File, openHdf5File, readingHdf5, readValues } from "./hdf5-file.ts";
import { type Demonstration, featureOf, findDemonstrations, isCompressed, lengthOf } from "./layouts.ts";

export type Hdf5Options = {
  /** Steps are 1 / fps apart; left out: what the file says, else the usual rate of its layout. */
  readonly fps?: number;
  /** LIBERO stores its pictures as OpenGL draws them, bottom row first; "vertical" puts them upright. */
  readonly flip?: "none" | "vertical";
};

async function listFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `must be an HDF5 file or a folder of them (${cause.code}). Check the path.`, { cause });
  });
  if (!info.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(hdf5|h5)$/.test(name));
  if (names.length === 0) throw new FormatError(path, "must hold .hdf5 files, but there is none. Name another folder.");
  return names
    .sort((left, right) => left.localeCompare(right, "en", { numeric: true }))
    .map((name) => join(path, name));
}

/**
 * Opens demonstrations in HDF5: one file, or a folder of files, in the layout of robomimic and LIBERO or of ALOHA and
 * ACT. Arrays get LeRobot's names.
 *
 * @throws FormatError when a file is missing, damaged or of another layout
 */
export async function openHdf5(path: string, options: Hdf5Options = {}): Promise<EpisodeReader> {
  const files: Hdf5File[] = [];
  const close = () => {
    for (const file of files) file.close();
  };
  try {
    const demonstrations: Demonstration[] = [];
    for (const name of await listFiles(path)) {
      const file = await openHdf5File(name);
      files.push(file);
      demonstrations.push(...readingHdf5(name, () => findDemonstrations(name, file)));
    }
    return createReader(path, demonstrations as [Demonstration], close, options);
  } catch (error) {
    close();
    throw error;
  }
}

function createReader(
  path: string,
  demonstrations: readonly [Demonstration, ...Demonstration[]],
  close: () => void,
  { fps, flip = "none" }: Hdf5Options,
): EpisodeReader {
  const [first] = demonstrations;
  const rate = fps ?? first.fps;
  const pick = (index: number): Demonstration => {
    const demonstration = demonstrations[index];
    if (!demonstration) throw new UserError(`${path}: has no episode ${index}; it has ${demonstrations.length}.`);
    return demonstration;
  };
  const features = readingHdf5(first.file, () =>
    Object.fromEntries(
      [...first.arrays]
        .filter(([name]) => name !== "timestamps")
        .map(([name, dataset]) => [name, featureOf(name, dataset)]),
    ),
  );

  return {
    info: {
      ...{ path, format: first.format, fps: rate, robotType: "unknown", episodes: demonstrations.length },
      ...{ frames: demonstrations.reduce((sum, demonstration) => sum + lengthOf(demonstration), 0), features },
      metadata: { fpsIsAssumed: fps === undefined && first.fpsIsAssumed },
    },
    async episode(index): Promise<Episode> {
      const demonstration = pick(index);
      const length = lengthOf(demonstration);
      const columns: Record<string, Episode["columns"][string]> = {};
      for (const [name, dataset] of demonstration.arrays) {
        if (name.startsWith("observation.images.") || name === "timestamps") continue;
        if (dataset.shape?.[0] !== length) {
          throw new FormatError(
            demonstration.file,
            `${dataset.path} must have ${length} rows, got ${dataset.shape?.[0]}.`,
          );
        }
        columns[name] = toColumn(name, dataset, readValues(demonstration.file, dataset));
      }
      const tasks = demonstration.task === "" ? [] : [demonstration.task];
      const stored = demonstration.arrays.get("timestamps");
      const times = stored ? (readValues(demonstration.file, stored) as Float64Array) : undefined;
      const timestampsS = Float64Array.from({ length }, (_, frame) => times?.[frame] ?? frame / rate);
      return { index, length, tasks, timestampsS, columns };
    },
    async *frames(index, camera, size): AsyncGenerator<Image> {
      const demonstration = pick(index);
      const dataset = demonstration.arrays.get(camera);
      if (!dataset || !camera.startsWith("observation.images.")) {
        throw new UserError(`${demonstration.file}: has no camera "${camera}" in episode ${index}.`);
      }
      const images = isCompressed(dataset)
        ? decodeImages(demonstration.file, jpegRows(demonstration.file, dataset), size === undefined ? {} : { size })
        : rawPictures(demonstration.file, dataset, size);
      for await (const image of images) yield flip === "vertical" ? upsideDown(image) : image;
    },
    close: async () => close(),
  };
}

function toColumn(name: string, dataset: Dataset, values: ArrayLike<number | bigint>): Episode["columns"][string] {
  const { dtype } = featureOf(name, dataset);
  if (dtype === "int64") return BigInt64Array.from(values as ArrayLike<bigint>, BigInt);
  return dtype === "float32"
    ? Float32Array.from(values as Float32Array, Number)
    : Float64Array.from(values as Float64Array, Number);
}

/** Padded rows without their padding: a jpeg ends with FF D9. */
function jpegRows(path: string, dataset: Dataset): Uint8Array[] {
  const [rows, bytes] = dataset.shape as [number, number];
  return Array.from({ length: rows }, (_, row) => {
    const padded = Buffer.from(readValues(path, dataset, row, row + 1) as Uint8Array);
    const end = padded.lastIndexOf(Buffer.from([0xff, 0xd9]));
    return padded.subarray(0, end < 0 ? bytes : end + 2);
  });
}

async function* rawPictures(path: string, dataset: Dataset, size: number | undefined): AsyncGenerator<Image> {
  const [frames, height, width, channels] = dataset.shape as [number, number, number, number];
  if (channels !== 3) throw new FormatError(path, `${dataset.path} must be u8[T, H, W, 3], got [${dataset.shape}].`);
  for (let frame = 0; frame < frames; frame++) {
    const image = { data: Uint8Array.from(readValues(path, dataset, frame, frame + 1) as Uint8Array), height, width };
    yield size === undefined ? image : middleSquare(image, size);
  }
}

function upsideDown({ data, height, width }: Image): Image {
  const turned = new Uint8Array(data.length);
  const rowBytes = width * 3;
  for (let row = 0; row < height; row++) {
    turned.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), (height - 1 - row) * rowBytes);
  }
  return { data: turned, height, width };
}
