import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { type McapRecord, readMcapRecords } from "#datasets/mcap/records.ts";
import { decodeImages } from "#datasets/video/decode-images.ts";
import type { Series } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { type Decode, findDecoder, isPicture, isText, numbersOf, pictureOf, type Schema } from "./viewer-messages.ts";

/**
 * @file Recordings (MCAP) of any program as episodes: every topic with numbers is a plot, every topic of compressed
 * pictures a camera. One pass over the file in its own order, so that one whose writer was killed plays up to there.
 */

/** More plots than this are no help; the rest is named in a note. */
const mostTopics = 24;
/** Rows of the time axis; a longer recording shows every second, third, … message of its fastest topic. */
const mostRows = 20_000;

/** A topic of numbers: when they came, and each channel's value or NaN. */
type Track = { readonly topic: string; readonly timesS: number[]; readonly values: Map<string, number[]> };

export type Recording = {
  /** Ascending, seconds from the first message. */
  readonly timestampsS: readonly number[];
  readonly series: readonly Series[];
  /** When each picture of a camera topic came, seconds from the first message. */
  readonly cameras: ReadonlyMap<string, readonly number[]>;
  /** What the task or instruction topic said first. */
  readonly instruction: string;
  readonly notes: readonly string[];
};

/** Channels of a file, understood or not. */
class ChannelTable {
  private readonly schemas = new Map<number, Schema>();
  private readonly known = new Map<number, { topic: string; schema: string; decode: Decode | null }>();
  readonly notes = new Map<string, string>();

  learn(record: McapRecord): void {
    if (record.type === "Schema") this.schemas.set(record.id, record);
    if (record.type !== "Channel" || this.known.has(record.id)) return;
    const schema = this.schemas.get(record.schemaId);
    const { topic, messageEncoding } = record;
    let decode: Decode | null = null;
    try {
      decode = findDecoder(record, schema);
      if (!decode) this.notes.set(topic, `Topic ${topic}: messages in "${messageEncoding}" are not read.`);
    } catch (error) {
      this.notes.set(topic, `Topic ${topic}: its schema cannot be read (${(error as Error).message.slice(0, 100)}).`);
    }
    this.known.set(record.id, { topic, schema: schema?.name ?? "", decode });
  }

  of(id: number) {
    return this.known.get(id);
  }
}

/** All records up to the end, or up to where the file breaks: the reason is then told. */
async function* wholeRecords(path: string, broken: (sentence: string) => void): AsyncGenerator<McapRecord> {
  try {
    yield* readMcapRecords(path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    broken(error.message.replace(`${path}: `, ""));
  }
}

function addNumbers(track: Track, timeS: number, numbers: ReadonlyMap<string, number>): void {
  for (const name of numbers.keys()) {
    if (!track.values.has(name)) track.values.set(name, new Array(track.timesS.length).fill(Number.NaN));
  }
  track.timesS.push(timeS);
  for (const [name, values] of track.values) values.push(numbers.get(name) ?? Number.NaN);
}

/** The times of the fastest topic, strictly ascending and not too many. */
function chooseTimes(candidates: readonly (readonly number[])[]): number[] {
  const fastest = candidates.reduce((most, timesS) => (timesS.length > most.length ? timesS : most), []);
  const ascending = [...fastest].sort((left, right) => left - right);
  const distinct = ascending.filter((timeS, index) => index === 0 || timeS > ascending[index - 1]!);
  const stride = Math.ceil(distinct.length / mostRows);
  return distinct.filter((_, index) => index % stride === 0);
}

/** Each row shows what came last before it. */
function toSeries({ topic, timesS, values }: Track, timestampsS: readonly number[]): Series {
  let next = 0;
  const sources = timestampsS.map((timeS) => {
    while (next < timesS.length && timesS[next]! <= timeS) next++;
    return next - 1;
  });
  const columns = [...values.values()].map((column) =>
    sources.map((source) => (Number.isFinite(column[source]) ? column[source]! : null)),
  );
  return { name: topic, channels: [...values.keys()], values: columns };
}

/**
 * Reads a recording.
 *
 * @throws FormatError when it holds neither numbers nor pictures
 */
export async function readRecording(path: string): Promise<Recording> {
  const channels = new ChannelTable();
  const tracks = new Map<string, Track>();
  const cameras = new Map<string, number[]>();
  const notes: string[] = [];
  let instruction = "";
  let firstNs: bigint | null = null;
  for await (const record of wholeRecords(path, (sentence) => notes.push(sentence))) {
    channels.learn(record);
    if (record.type === "Metadata") instruction ||= record.metadata.get("task") ?? "";
    if (record.type !== "Message") continue;
    const channel = channels.of(record.channelId);
    if (!channel?.decode) continue;
    firstNs ??= record.logTime;
    const timeS = Number(record.logTime - firstNs) / 1e9;
    const { topic, schema, decode } = channel;
    if (isPicture(schema)) {
      if (!cameras.has(topic)) cameras.set(topic, []);
      cameras.get(topic)!.push(timeS);
      continue;
    }
    try {
      const message = decode(record.data);
      if (isText(schema)) {
        if (/task|instruction/.test(topic)) instruction ||= String((message as { data?: unknown }).data ?? "");
        continue;
      }
      const numbers = numbersOf(message);
      if (numbers.size === 0) continue;
      if (!tracks.has(topic)) tracks.set(topic, { topic, timesS: [], values: new Map() });
      addNumbers(tracks.get(topic)!, timeS, numbers);
    } catch (error) {
      channels.notes.set(
        topic,
        `Topic ${topic}: some messages cannot be read (${(error as Error).message.slice(0, 100)}).`,
      );
    }
  }
  const shown = [...tracks.values()].slice(0, mostTopics);
  if (tracks.size > shown.length)
    notes.push(`${tracks.size - shown.length} further topics with numbers are not plotted.`);
  const timestampsS = chooseTimes([...shown.map(({ timesS }) => timesS), ...cameras.values()]);
  if (timestampsS.length === 0) {
    const reason = [...notes, ...channels.notes.values()][0];
    throw new FormatError(path, reason ?? "must hold topics with numbers or compressed pictures, has none.");
  }
  const series = shown.map((track) => toSeries(track, timestampsS));
  return { timestampsS, series, cameras, instruction, notes: [...notes, ...channels.notes.values()] };
}

/** Pictures that are decoded together: what fits into memory as they are stored. */
const batchPictures = 256;

/**
 * The pictures of one camera topic in a recording.
 *
 * @throws FormatError for pictures that are no jpeg or png, or change their size
 */
export async function* readPictures(path: string, topic: string): AsyncGenerator<Image> {
  let batch: Uint8Array[] = [];
  for await (const picture of storedPictures(path, topic)) {
    batch.push(picture);
    if (batch.length < batchPictures) continue;
    yield* decodeImages(path, batch);
    batch = [];
  }
  yield* decodeImages(path, batch);
}

async function* storedPictures(path: string, topic: string): AsyncGenerator<Uint8Array> {
  const channels = new ChannelTable();
  for await (const record of wholeRecords(path, () => {})) {
    channels.learn(record);
    if (record.type !== "Message") continue;
    const channel = channels.of(record.channelId);
    const picture = channel?.topic === topic && channel.decode ? pictureOf(channel.decode(record.data)) : null;
    if (picture) yield picture;
  }
}
