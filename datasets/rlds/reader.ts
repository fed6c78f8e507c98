import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { decodeImages } from "../video/decode-images.ts";
import { type Example, type ExampleValue, parseExample } from "./example.ts";
import { type StepFeature, stepFeatures } from "./features.ts";
import { indexRecords, readRecord } from "./tfrecord.ts";
import { sideFile, stampFeature } from "./writer.ts";

export type RldsOptions = {
  /** RLDS stores no rate; the steps are taken to be 1 / fps apart. Default 10; own sets say theirs. */
  readonly fps?: number;
  /** Which split; left out: all that are there. */
  readonly split?: string;
};

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(
      path,
      `must be there in an RLDS data set, but is not (${cause.code}). Name the folder of one version.`,
      { cause },
    );
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, "must be JSON. Copy the file again.", { cause });
  }
}

/**
 * Opens an RLDS data set (TFDS, TFRecord): the folder of one version, with `dataset_info.json` and `features.json`.
 * Features get LeRobot's names, "observation/state" is "observation.state" and images are cameras.
 *
 * @throws FormatError when metadata or shards are missing or damaged
 */
export async function openRlds(path: string, { fps: wantedFps, split }: RldsOptions = {}): Promise<EpisodeReader> {
  const own = ownFacts.safeParse(await readJson(join(path, sideFile)).catch(() => undefined)).data;
  const fps = wantedFps ?? own?.fps ?? 10;
  const meta = (await readJson(join(path, "dataset_info.json"))) as Record<string, unknown>;
  const steps = stepFeatures(join(path, "features.json"), await readJson(join(path, "features.json")));
  const shards = (await readdir(path)).filter((name) => /\.tfrecord(-\d+-of-\d+)?$/.test(name)).sort();
  const wanted = shards.filter((name) => split === undefined || name.includes(`-${split}.tfrecord`));
  if (wanted.length === 0) {
    throw new FormatError(
      path,
      `must hold TFRecord shards${split ? ` of split "${split}"` : ""}, has ${shards.join(", ") || "none"}.`,
    );
  }
  requireAllShards(path, wanted);
  const records = (await Promise.all(wanted.map((name) => indexRecords(join(path, name))))).flat();
  const cameras = steps.filter(({ feature }) => feature.dtype === "image");

  const load = async (index: number): Promise<{ example: Example; length: number; place: string }> => {
    const place = records[index];
    if (!place) throw new UserError(`${path}: has no episode ${index}; it has ${records.length}.`);
    const example = parseExample(await readRecord(place), place.path);
    const marker = example.get("steps/is_first") ?? example.get("steps/is_last");
    if (!marker)
      throw new FormatError(place.path, `episode ${index} must have steps/is_first, but has not. Is this RLDS?`);
    return { example, length: marker.length, place: place.path };
  };

  return {
    info: {
      ...{
        path,
        format: "rlds",
        fps,
        robotType: own?.robotType ?? String(meta.name ?? basename(path)),
        episodes: records.length,
      },
      // How many steps there are is known only by reading every episode.
      frames: Number.NaN,
      features: Object.fromEntries(steps.map(({ name, feature }) => [name, feature])),
      // A set of ours says all of it in its side file: what is read and written again stays as it is.
      metadata: own
        ? { ...own.metadata }
        : { name: meta.name, version: meta.version, fpsIsAssumed: wantedFps === undefined },
    },
    async episode(index): Promise<Episode> {
      const { example, length, place } = await load(index);
      const columns: Record<string, Episode["columns"][string]> = {};
      for (const step of steps) {
        if (step.feature.dtype !== "image") columns[step.name] = toColumn(place, step, example.get(step.key), length);
      }
      const texts = columns.language_instruction;
      const tasks = Array.isArray(texts) ? [...new Set(texts.filter((text) => text !== ""))] : [];
      return { index, length, tasks, timestampsS: timesOf(columns[stampFeature], length, fps), columns };
    },
    async *frames(index, camera, size): AsyncGenerator<Image> {
      const step = cameras.find(({ name }) => name === camera);
      if (!step)
        throw new UserError(
          `${path}: has no camera "${camera}"; it has ${cameras.map(({ name }) => name).join(", ") || "none"}.`,
        );
      const { example, length, place } = await load(index);
      const images = example.get(step.key);
      if (!Array.isArray(images) || images.length !== length) {
        throw new FormatError(
          place,
          `episode ${index}: ${step.key} must have ${length} pictures, got ${images?.length ?? "none"}.`,
        );
      }
      yield* decodeImages(place, images, size === undefined ? {} : { size });
    },
    async close() {},
  };
}

const ownFacts = z.object({
  fps: z.number().positive(),
  robotType: z.string(),
  metadata: z.record(z.string(), z.unknown()),
});

/** Stored times where there are any, else steps of 1 / fps. */
function timesOf(stampsNs: Episode["columns"][string] | undefined, length: number, fps: number): Float64Array {
  if (stampsNs instanceof BigInt64Array) return Float64Array.from(stampsNs, (stamp) => Number(stamp) / 1e9);
  return Float64Array.from({ length }, (_, frame) => frame / fps);
}

/** "name-train.tfrecord-00003-of-00025": all of them must be there. */
function requireAllShards(path: string, shards: readonly string[]): void {
  const groups = new Map<string, { total: number; found: Set<number> }>();
  for (const shard of shards) {
    const [, name, index, total] = /^(.*)-(\d+)-of-(\d+)$/.exec(shard) ?? [];
    if (name === undefined) continue;
    const group = groups.get(name) ?? { total: Number(total), found: new Set<number>() };
    group.found.add(Number(index));
    groups.set(name, group);
  }
  for (const [name, { total, found }] of groups) {
    const missing = Array.from({ length: total }, (_, index) => index).filter((index) => !found.has(index));
    if (missing.length > 0) {
      throw new FormatError(
        path,
        `${name}: ${missing.length} of ${total} shards are missing (the first is ${missing[0]}). Copy them too.`,
      );
    }
  }
}

function toColumn(
  path: string,
  { key, feature, encoding }: StepFeature,
  value: ExampleValue | undefined,
  length: number,
) {
  if (encoding !== "none") throw new FormatError(path, `${key}: tensors encoded as "${encoding}" cannot be read.`);
  const width = feature.shape.reduce((product, size) => product * size, 1);
  if (value?.length !== length * width) {
    throw new FormatError(path, `${key} must have ${length} x ${width} values, got ${value?.length ?? "none"}.`);
  }
  return convert(feature, value);
}

function convert(feature: Feature, value: ExampleValue): Episode["columns"][string] {
  if (Array.isArray(value)) return value.map((bytes: Uint8Array) => Buffer.from(bytes).toString("utf8"));
  const numbers = value as Float32Array | BigInt64Array;
  if (feature.dtype === "int64") return BigInt64Array.from(numbers, BigInt);
  return feature.dtype === "float64" || feature.dtype === "int32"
    ? Float64Array.from(numbers as Float32Array, Number)
    : Float32Array.from(numbers as Float32Array, Number);
}
