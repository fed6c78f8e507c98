/** @file A data set as a folder of recordings, one MCAP an episode. */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Episode, EpisodeFrame, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { cameraNames, checkFrame, type DatasetWriter, GrowingColumn, numberNames } from "../episode-buffer.ts";
import { decodeImages } from "../video/decode-images.ts";
import { openMcap } from "./records.ts";
import { compressedImage, scalars, timeOf } from "./schemas.ts";
import { createMcapRecorder, type McapRecorder } from "./writer.ts";

export type McapSetOptions = {
  readonly fps: number;
  readonly robotType: string;
  readonly features: Readonly<Record<string, Feature>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
};

export type McapSetWriter = DatasetWriter;

const factsName = "armature.episode";
const topicOf = (name: string) => `/${name.replaceAll(".", "/")}`;
const nanoseconds = (seconds: number) => BigInt(Math.round(seconds * 1e9));
const labelsOf = ({ shape, names }: Feature) =>
  Array.from(
    { length: shape.reduce((product, size) => product * size, 1) },
    (_, index) => names?.[index] ?? String(index),
  );

/**
 * Creates a folder of recordings. Pictures are stored as png, so nothing is lost; numbers as 64-bit floats in JSON.
 *
 * @throws UserError when the folder is there already and not empty
 */
export async function createMcapSet(path: string, options: McapSetOptions): Promise<McapSetWriter> {
  const { features, fps, robotType, metadata = {} } = options;
  const target = resolve(path);
  if ((await readdir(target).catch(() => [])).length > 0) {
    throw new UserError(`${path}: must be a new or empty folder. Choose another.`);
  }
  const folder = `${target}.${process.pid}.part`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let open: { recorder: McapRecorder; channels: Map<string, number>; frames: number; lastS: number } | undefined;
  let episodes = 0;
  let finished = false;
  const fileOf = (episode: number) => join(folder, `episode_${String(episode).padStart(6, "0")}.mcap`);
  const current = () => {
    if (!open) throw new Error(`${path}: no episode is open; call startEpisode first`);
    return open;
  };
  return {
    async startEpisode(task) {
      if (open) throw new Error(`${path}: an episode is open already; call endEpisode first`);
      const recorder = await createMcapRecorder(fileOf(episodes));
      const channels = new Map<string, number>();
      for (const name of Object.keys(features)) {
        const isCamera = cameraNames(features).includes(name);
        const [schemaName, schema] = isCamera ? ["foxglove.CompressedImage", compressedImage] : ["Scalars", scalars];
        channels.set(name, await recorder.addChannel({ topic: topicOf(name), schemaName, schema }));
      }
      await recorder.addMetadata(factsName, {
        ...{
          task,
          fps: String(fps),
          robotType,
          features: JSON.stringify(features),
          metadata: JSON.stringify(metadata),
        },
      });
      open = { recorder, channels, frames: 0, lastS: Number.NEGATIVE_INFINITY };
    },
    async addFrame(frame: EpisodeFrame) {
      const episode = current();
      checkFrame(path, features, frame, { frame: episode.frames, lastS: episode.lastS });
      const stampNs = nanoseconds(frame.timestampS);
      const timestamp = timeOf(stampNs);
      for (const name of numberNames(features)) {
        const values = frame.values[name]!;
        const entries = labelsOf(features[name]!).map((label, index) => ({ label, value: values[index] }));
        await episode.recorder.write(episode.channels.get(name)!, stampNs, { timestamp, scalars: entries });
      }
      for (const name of cameraNames(features)) {
        const data = Buffer.from(encodePng(frame.images[name]!)).toString("base64");
        await episode.recorder.write(episode.channels.get(name)!, stampNs, {
          timestamp,
          frame_id: name,
          format: "png",
          data,
        });
      }
      episode.lastS = frame.timestampS;
      episode.frames++;
    },
    async endEpisode() {
      if (current().frames === 0)
        throw new UserError(`${path}: episode ${episodes} must have at least one frame, got none.`);
      await current().recorder.close();
      open = undefined;
      episodes++;
    },
    async dropEpisode() {
      await open?.recorder.close();
      open = undefined;
      await rm(fileOf(episodes), { force: true });
    },
    async finish() {
      if (episodes === 0) throw new UserError(`${path}: a data set must have at least one episode, got none.`);
      await rm(target, { recursive: true, force: true });
      await rename(folder, target);
      finished = true;
    },
    async abort() {
      if (finished) return;
      await open?.recorder.close();
      open = undefined;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, { addIssue }) => {
      try {
        return JSON.parse(text) as unknown;
      } catch (cause) {
        addIssue({ code: "custom", message: (cause as Error).message });
        return z.NEVER;
      }
    })
    .pipe(schema);

const featureSchema = z.object({
  dtype: z.enum(["float32", "float64", "int64", "int32", "bool", "string", "video", "image"]),
  shape: z.array(z.int().nonnegative()),
  names: z.array(z.string()).nullable(),
  info: z.record(z.string(), z.unknown()).exactOptional(),
});

const factsSchema = z.object({
  task: z.string(),
  fps: z.coerce.number().positive(),
  robotType: z.string(),
  features: json(z.record(z.string(), featureSchema)),
  metadata: json(z.record(z.string(), z.unknown())),
});
type Facts = z.infer<typeof factsSchema>;

/** What the writer of an episode said about it, as it stands there; nothing for recordings of other programs. */
async function readMetadata(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  const { reader, close } = await openMcap(path);
  try {
    for await (const { metadata } of reader.readMetadata({ name: factsName })) return Object.fromEntries(metadata);
    return undefined;
  } catch (cause) {
    const why = (cause as Error).message.slice(0, 120);
    throw new FormatError(path, `its metadata cannot be read: the recording is damaged (${why}).`, { cause });
  } finally {
    await close();
  }
}

/** What the writer said about an episode. */
async function readFacts(path: string): Promise<Facts> {
  const metadata = await readMetadata(path);
  if (metadata === undefined) {
    throw new FormatError(
      path,
      `must be an episode with metadata "${factsName}", has none. Only own recordings are data sets.`,
    );
  }
  const { success, data, error } = factsSchema.safeParse(metadata);
  if (success) return data;
  const [issue] = error.issues;
  throw new FormatError(path, `metadata "${factsName}": ${issue!.path.join(".")}: ${issue!.message.slice(0, 120)}.`);
}

/** False for recordings of other programs. @throws FormatError when it is cut or no MCAP */
export const isEpisodeRecording = async (path: string): Promise<boolean> => (await readMetadata(path)) !== undefined;

type Message = { readonly stampNs: bigint; readonly value: Record<string, unknown> };

async function* messages(path: string, topic: string): AsyncGenerator<Message> {
  const { reader, close } = await openMcap(path);
  try {
    for await (const { logTime, data } of reader.readMessages({ topics: [topic] })) {
      yield { stampNs: logTime, value: JSON.parse(Buffer.from(data).toString("utf8")) as Record<string, unknown> };
    }
  } catch (cause) {
    throw new FormatError(path, `topic ${topic} cannot be read (${(cause as Error).message.slice(0, 100)}).`, {
      cause,
    });
  } finally {
    await close();
  }
}

/**
 * Opens a folder of recordings (or a single one) as a data set.
 *
 * @throws FormatError when there is none, or one is cut or was not written as an episode
 */
export async function openMcapSet(path: string): Promise<EpisodeReader> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `must be a recording or a folder of them (${cause.code}). Check the path.`, { cause });
  });
  const files = info.isDirectory()
    ? (await readdir(path))
        .filter((name) => name.endsWith(".mcap"))
        .sort()
        .map((name) => join(path, name))
    : [path];
  if (files.length === 0) throw new FormatError(path, "must hold .mcap files, but there is none.");
  const first = await readFacts(files[0]!);
  const { features, fps } = first;
  const fileOf = (index: number): string => {
    const file = files[index];
    if (!file) throw new UserError(`${path}: has no episode ${index}; it has ${files.length}.`);
    return file;
  };
  return {
    info: {
      ...{ path, format: "mcap", fps, robotType: first.robotType, episodes: files.length, features },
      // Counting would open every file.
      ...{ frames: Number.NaN, metadata: first.metadata },
    },
    async episode(index): Promise<Episode> {
      const file = fileOf(index);
      const { task } = await readFacts(file);
      const columns: Record<string, Episode["columns"][string]> = {};
      let stamps: bigint[] = [];
      for (const name of numberNames(features)) {
        const column = new GrowingColumn();
        const seen: bigint[] = [];
        for await (const { stampNs, value } of messages(file, topicOf(name))) {
          // JSON has no NaN and no infinity; they were written as null.
          column.add((value.scalars as { value: number | null }[]).map((scalar) => scalar.value ?? Number.NaN));
          seen.push(stampNs);
        }
        columns[name] = column.toColumn(features[name]!);
        if (stamps.length > 0 && seen.length !== stamps.length) {
          throw new FormatError(
            file,
            `topic ${topicOf(name)} must have ${stamps.length} messages, got ${seen.length}.`,
          );
        }
        stamps = seen;
      }
      return {
        index,
        length: stamps.length,
        tasks: [task],
        timestampsS: Float64Array.from(stamps, (stamp) => Number(stamp) / 1e9),
        columns,
      };
    },
    async *frames(index, camera, size): AsyncGenerator<Image> {
      const file = fileOf(index);
      if (!cameraNames(features).includes(camera)) {
        throw new UserError(
          `${path}: has no camera "${camera}"; it has ${cameraNames(features).join(", ") || "none"}.`,
        );
      }
      const pictures: Uint8Array[] = [];
      for await (const { value } of messages(file, topicOf(camera)))
        pictures.push(Buffer.from(String(value.data), "base64"));
      yield* decodeImages(file, pictures, size === undefined ? {} : { size });
    },
    async close() {},
  };
}
