import { readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { decodeImages, imageKind } from "../video/decode-images.ts";
import { type LapaRow, openLapaRows } from "./rows.ts";

/** The only camera of LAPA's rows. */
export const lapaCamera = "observation.images.image";

/** Rows that belong together, and where they lie. */
type Span = { readonly start: number; end: number; length: number; readonly instruction: string };

/** The last number of a file's name: 12 of "img_12.jpg". */
const numberOf = (image: string) => Number(/(\d+)\D*$/.exec(basename(image, extname(image)))?.[1]);

const startsAnew = (last: LapaRow, next: LapaRow) =>
  dirname(last.image) !== dirname(next.image) ||
  last.instruction !== next.instruction ||
  numberOf(next.image) <= numberOf(last.image);

function featuresOf({ values }: LapaRow): Record<string, Feature> {
  const entries = Object.entries(values).map(([name, { length }]): [string, Feature] => [
    name,
    { dtype: name === "latent_action" ? "int64" : "float32", shape: [length], names: null },
  ]);
  return Object.fromEntries(entries);
}

async function readPicture(path: string, image: string): Promise<Uint8Array> {
  const file = resolve(dirname(path), image);
  return readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(file, `must be there: ${path} names it (${cause.code}). Copy its pictures too.`, { cause });
  });
}

/**
 * Opens LAPA's rows as a data set: `.jsonl` of latent pretraining or fine-tuning, or the `.json` list before it. Rows of one
 * episode follow each other; a new one begins where the folder of the pictures or the instruction changes, or the number
 * in the picture's name does not grow.
 *
 * @param options `fps`: rows are taken to be 1 / fps apart, default 5
 * @throws FormatError when a row is not LAPA's, with its place
 */
export async function openLapa(path: string, { fps }: { readonly fps?: number } = {}): Promise<EpisodeReader> {
  const rows = await openLapaRows(path);
  const spans: Span[] = [];
  let first: LapaRow | undefined;
  let last: LapaRow | undefined;
  for await (const { row, start, end } of rows.read()) {
    first ??= row;
    const span = spans.at(-1);
    if (last === undefined || span === undefined || startsAnew(last, row)) {
      spans.push({ start, end, length: 1, instruction: row.instruction });
    } else {
      span.end = end;
      span.length++;
    }
    last = row;
  }
  if (first === undefined) throw new FormatError(path, "must hold rows, but is empty.");
  const kind = imageKind(await readPicture(path, first.image));
  if (kind === undefined) throw new FormatError(resolve(dirname(path), first.image), "must be a jpeg or png.");
  const features = featuresOf(first);
  const rateHz = fps ?? 5;
  const rowsOf = async (index: number): Promise<LapaRow[]> => {
    const span = spans[index];
    if (!span) throw new UserError(`${path}: has no episode ${index}; it has ${spans.length}.`);
    const found: LapaRow[] = [];
    for await (const { row } of rows.read(span.start, span.end)) found.push(row);
    return found;
  };
  return {
    info: {
      ...{ path, format: "lapa", fps: rateHz, robotType: "unknown", episodes: spans.length },
      frames: spans.reduce((sum, { length }) => sum + length, 0),
      features: {
        ...features,
        [lapaCamera]: {
          dtype: "image",
          shape: [kind.height, kind.width, 3],
          names: ["height", "width", "channels"],
        },
      },
      metadata: { fpsIsAssumed: fps === undefined },
    },
    async episode(index): Promise<Episode> {
      const own = await rowsOf(index);
      const { length } = own;
      const columns: Record<string, Episode["columns"][string]> = {};
      for (const [name, { dtype, shape }] of Object.entries(features)) {
        const values = own.flatMap((row, frame) => {
          const given = row.values[name] ?? [];
          if (given.length === shape[0]) return given;
          throw new FormatError(
            path,
            `row ${frame} of episode ${index}: ${name} must be ${shape[0]} numbers, got ${given.length}.`,
          );
        });
        columns[name] = dtype === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
      }
      const { instruction } = spans[index]!;
      const timestampsS = Float64Array.from({ length }, (_, frame) => frame / rateHz);
      return { index, length, tasks: instruction === "" ? [] : [instruction], timestampsS, columns };
    },
    async *frames(index, camera, size): AsyncGenerator<Image> {
      if (camera !== lapaCamera) throw new UserError(`${path}: has no camera "${camera}"; it has ${lapaCamera}.`);
      const pictures: Uint8Array[] = [];
      for (const { image } of await rowsOf(index)) pictures.push(await readPicture(path, image));
      yield* decodeImages(path, pictures, size === undefined ? {} : { size });
    },
    async close() {},
  };
}
