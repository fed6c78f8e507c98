/**
 * @file ROS recordings as episodes. Topics come each at their own rate: rows are the messages of one topic (the clock),
 * and every other topic gives the newest message at or before that time, as a controller would have seen it.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Episode, EpisodeReader, Feature } from "#core/contracts/episode.ts";
import type { Image } from "#core/contracts/image.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { GrowingColumn } from "../episode-buffer.ts";
import { decodeImages } from "../video/decode-images.ts";
import { middleSquare } from "../video/resize.ts";
import { openBag } from "./bag.ts";
import type { Bag, BagMessage, BagTopic } from "./bag-types.ts";
import { type BagPicture, isPictureType, numbersOf, pictureOf, pictureShape } from "./fields.ts";

export type BagSetOptions = {
  /**
   * Which topic is which feature: `{"action": "/arm/command", "observation.state": "/joint_states.position"}`. Left out:
   * all topics that hold numbers or pictures, named by the topic; the first JointState is `observation.state`, a topic
   * called action, command or cmd is `action`.
   */
  readonly topics?: Readonly<Record<string, string>>;
  /** Topic whose messages are the rows; left out: the first camera, else `observation.state`, else the first feature. */
  readonly clock?: string;
  /** Rate to write down; left out: that of the clock. */
  readonly fps?: number;
  /** What was done, where the recordings do not say. */
  readonly task?: string;
};

/** One feature: its topic, the part of the message, the shape by the first message. */
type Source = { readonly name: string; readonly topic: string; readonly field: string; readonly feature: Feature };

async function listBags(path: string): Promise<string[]> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `must be a recording or a folder of them (${cause.code}). Check the path.`, { cause });
  });
  if (!info.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  // A folder with metadata.yaml is one ROS 2 recording.
  if (entries.some(({ name }) => name === "metadata.yaml")) return [path];
  const bags = entries
    .filter((entry) => entry.isDirectory() || /\.(bag|db3|mcap)$/.test(entry.name))
    .map(({ name }) => name)
    .sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
  if (bags.length === 0) throw new FormatError(path, "must hold recordings (.bag, .db3, .mcap), but there is none.");
  return bags.map((name) => join(path, name));
}

async function withBag<T>(path: string, work: (bag: Bag) => Promise<T>): Promise<T> {
  const bag = await openBag(path);
  try {
    return await work(bag);
  } finally {
    await bag.close();
  }
}

const dotted = (topic: string) => topic.replace(/^\//, "").replaceAll("/", ".");

/** "/joint_states.position" is a topic and a part of its messages; topics have no dots. */
function splitPlace(place: string): { topic: string; field: string } {
  const [topic, ...field] = place.split(".");
  return { topic: topic!, field: field.join(".") };
}

/** Features by themselves, when nobody names them. */
function usualPlaces(topics: readonly BagTopic[]): Record<string, string> {
  const state = topics.find(({ type }) => type.endsWith("/JointState"))?.name;
  const command = topics.filter(({ name }) => /(^|[/_])(action|commands?|cmd)($|[/_])/.test(name));
  const nameOf = ({ name, type }: BagTopic) => {
    if (isPictureType(type)) {
      return `observation.images.${dotted(name)
        .replace(/^(observation\.)?images\./, "")
        .replace(/\.(image_raw|image|compressed)$/g, "")}`;
    }
    if (command.length === 1 && command[0]!.name === name) return "action";
    return name === state ? "observation.state" : dotted(name);
  };
  return Object.fromEntries(topics.map((topic) => [nameOf(topic), topic.name]));
}

/** Looks at the first message of every topic. Named topics must hold something; of the others those that do are taken. */
async function findSources(bag: Bag, topics: Readonly<Record<string, string>> | undefined): Promise<Source[]> {
  const places = Object.entries(topics ?? usualPlaces(bag.topics)).map(([name, place]) => ({
    name,
    ...splitPlace(place),
  }));
  const wanted = new Set(places.map(({ topic }) => topic));
  const first = new Map<string, BagMessage>();
  for await (const message of bag.messages(topics ? [...wanted] : undefined)) {
    if (wanted.has(message.topic) && !first.has(message.topic)) first.set(message.topic, message);
    if (first.size === wanted.size) break;
  }
  return places.flatMap(({ name, topic, field }): Source[] => {
    const message = first.get(topic);
    const feature = message && featureOf(bag.path, message, field);
    if (feature) return [{ name, topic, field, feature }];
    if (!topics) return [];
    throw new FormatError(
      bag.path,
      message
        ? `topic "${topic}": ${field === "" ? "the message" : `"${field}"`} must hold numbers, but holds none. Name another part.`
        : `topic "${topic}" must have messages, but has none.`,
    );
  });
}

function featureOf(path: string, { topic, type, message }: BagMessage, field: string): Feature | undefined {
  if (isPictureType(type)) {
    const shape = pictureShape(path, topic, pictureOf(path, topic, message));
    return { dtype: "image", shape, names: ["height", "width", "channels"] };
  }
  const numbers = numbersOf(type, message, field);
  if (numbers.length === 0) return undefined;
  return { dtype: "float64", shape: [numbers.length], names: numbers.map(({ name }) => name) };
}

function clockOf(path: string, sources: readonly Source[], clock: string | undefined): string {
  if (clock !== undefined) {
    if (sources.some(({ topic }) => topic === clock)) return clock;
    throw new UserError(`${path}: the clock "${clock}" must be the topic of a feature. Name it among the topics.`);
  }
  const camera = sources.find(({ feature }) => feature.dtype === "image");
  return (camera ?? sources.find(({ name }) => name === "observation.state") ?? sources[0]!).topic;
}

/** Newest message of every topic at each message of the clock, from where all topics have begun. */
async function* rows(
  bag: Bag,
  topics: readonly string[],
  clock: string,
): AsyncGenerator<{ stampNs: bigint; newest: ReadonlyMap<string, BagMessage> }> {
  const newest = new Map<string, BagMessage>();
  let waiting: bigint | undefined;
  for await (const message of bag.messages(topics)) {
    // Messages of the same nanosecond belong to the same row, whatever their order in the file.
    if (waiting !== undefined && message.stampNs > waiting) {
      if (newest.size === topics.length) yield { stampNs: waiting, newest };
      waiting = undefined;
    }
    newest.set(message.topic, message);
    if (message.topic === clock) waiting = message.stampNs;
  }
  if (waiting !== undefined && newest.size === topics.length) yield { stampNs: waiting, newest };
}

/**
 * Opens ROS recordings as a data set: every recording (a file, or a ROS 2 folder) is an episode. Features are found in
 * the first one; the others must have them too.
 *
 * @throws FormatError when a recording is missing, cut, or lacks a topic
 */
export async function openBagSet(path: string, options: BagSetOptions = {}): Promise<EpisodeReader> {
  const files = await listBags(path);
  const { sources, format } = await withBag(files[0]!, async (bag) => ({
    sources: await findSources(bag, options.topics),
    format: bag.format,
  }));
  if (sources.length === 0)
    throw new FormatError(path, "must have topics with numbers or pictures, but has none that can be decoded.");
  const clock = clockOf(path, sources, options.clock);
  const topics = [...new Set(sources.map(({ topic }) => topic))];
  const numbers = sources.filter(({ feature }) => feature.dtype !== "image");
  const fileOf = (index: number): string => {
    const file = files[index];
    if (file === undefined) throw new UserError(`${path}: has no episode ${index}; it has ${files.length}.`);
    return file;
  };

  const episode = async (index: number): Promise<Episode> => {
    const file = fileOf(index);
    const stamps: bigint[] = [];
    const columns = new Map(numbers.map(({ name }) => [name, new GrowingColumn()]));
    await withBag(file, async (bag) => {
      for await (const { stampNs, newest } of rows(bag, topics, clock)) {
        stamps.push(stampNs);
        for (const source of numbers) columns.get(source.name)!.add(valuesOf(file, source, newest.get(source.topic)!));
      }
    });
    if (stamps.length === 0) throw new FormatError(file, `no row has messages of all topics (${topics.join(", ")}).`);
    return {
      ...{ index, length: stamps.length, tasks: options.task ? [options.task] : [] },
      timestampsS: Float64Array.from(stamps, (stamp) => Number(stamp - stamps[0]!) / 1e9),
      columns: Object.fromEntries(numbers.map(({ name, feature }) => [name, columns.get(name)!.toColumn(feature)])),
    };
  };
  const fps = options.fps ?? rateOf((await episode(0)).timestampsS);
  return {
    info: {
      ...{ path, format, fps, robotType: "unknown", episodes: files.length, frames: Number.NaN },
      features: Object.fromEntries(sources.map(({ name, feature }) => [name, feature])),
      metadata: {
        topics: Object.fromEntries(
          sources.map(({ name, topic, field }) => [name, field === "" ? topic : `${topic}.${field}`]),
        ),
        clock,
      },
    },
    episode,
    async *frames(index, camera, size): AsyncGenerator<Image> {
      const source = sources.find(({ name, feature }) => name === camera && feature.dtype === "image");
      const file = fileOf(index);
      if (!source) {
        const cameras = sources.filter(({ feature }) => feature.dtype === "image").map(({ name }) => name);
        throw new UserError(`${basename(path)}: has no camera "${camera}"; it has ${cameras.join(", ") || "none"}.`);
      }
      yield* pictures(file, topics, clock, source, size);
    },
    async close() {},
  };
}

function valuesOf(path: string, { topic, field, feature }: Source, { type, message }: BagMessage): number[] {
  const values = numbersOf(type, message, field).map(({ value }) => value);
  if (values.length === feature.shape[0]) return values;
  throw new FormatError(
    path,
    `topic "${topic}": must have ${feature.shape[0]} numbers in every message, got ${values.length}.`,
  );
}

/** Frames a second by the median interval. */
function rateOf(timestampsS: Float64Array): number {
  const intervals = Float64Array.from(timestampsS.subarray(1), (time, index) => time - timestampsS[index]!).sort();
  const median = intervals[intervals.length >> 1] ?? 0;
  return median > 0 ? Number((1 / median).toPrecision(4)) : 1;
}

async function* pictures(
  path: string,
  topics: readonly string[],
  clock: string,
  { topic }: Source,
  size: number | undefined,
): AsyncGenerator<Image> {
  const bag = await openBag(path);
  try {
    const encoded: Uint8Array[] = [];
    for await (const { newest } of rows(bag, topics, clock)) {
      const picture: BagPicture = pictureOf(path, topic, newest.get(topic)!.message);
      if ("encoded" in picture) encoded.push(picture.encoded.slice());
      else yield size === undefined ? picture : middleSquare(picture, size);
    }
    yield* decodeImages(path, encoded, size === undefined ? {} : { size });
  } finally {
    await bag.close();
  }
}
