import { appendFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { EpisodeFrame, Feature } from "#core/contracts/episode.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { encodePng } from "#core/image/png.ts";
import { writeFailure } from "#core/write-whole.ts";
import { cameraNames, checkFrame, type DatasetWriter, GrowingColumn, numberNames } from "../episode-buffer.ts";
import { type ExampleValue, encodeExample } from "./example.ts";
import { frameRecord } from "./tfrecord.ts";

export type RldsWriterOptions = {
  readonly fps: number;
  readonly robotType: string;
  readonly features: Readonly<Record<string, Feature>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Name of the TFDS data set, default the folder's. */
  readonly name?: string;
  /** A shard is closed when it is larger, default 128 MiB. */
  readonly shardBytes?: number;
};

export type RldsWriter = DatasetWriter;

const version = "1.0.0";
/** Facts that TFDS has no place for: rate, robot, whatever the caller adds. */
export const sideFile = "armature.json";
/** TFRecord has no 64-bit floats: true times travel as whole nanoseconds. */
export const stampFeature = "timestamp_ns";

/** "observation.images.front" is "observation/front", "observation.state" is "observation/state". */
const pathOf = (name: string): string => name.replace(/^observation\.images\./, "observation.").replaceAll(".", "/");

type Node = { [key: string]: unknown };
const className = (path: string) => `tensorflow_datasets.core.features.${path}`;
const scalarNode = (dtype: string): Node => ({
  pythonClassName: className("scalar.Scalar"),
  tensor: { shape: {}, dtype, encoding: "none" },
});

function featureNode({ dtype, shape }: Feature): Node {
  const dimensions = { dimensions: shape.map(String) };
  if (dtype === "video" || dtype === "image") {
    return {
      pythonClassName: className("image_feature.Image"),
      image: { shape: dimensions, dtype: "uint8", encodingFormat: "png" },
    };
  }
  const stored = dtype === "float64" ? "float32" : dtype;
  return {
    pythonClassName: className("tensor_feature.Tensor"),
    tensor: { shape: dimensions, dtype: stored, encoding: "none" },
  };
}

const dictNode = (features: Node): Node => ({
  pythonClassName: className("features_dict.FeaturesDict"),
  featuresDict: { features },
});

/** `features.json`: the features of a step under their paths, and what RLDS asks of every step. */
function describeFeatures(features: Readonly<Record<string, Feature>>): Node {
  const root: Node = {
    ...{ is_first: scalarNode("bool"), is_last: scalarNode("bool"), is_terminal: scalarNode("bool") },
    ...{ reward: scalarNode("float32"), discount: scalarNode("float32"), [stampFeature]: scalarNode("int64") },
    language_instruction: { pythonClassName: className("text_feature.Text"), text: {} },
  };
  const groups = new Map<string, Node>();
  for (const [name, feature] of Object.entries(features)) {
    const [first, ...rest] = pathOf(name).split("/") as [string, ...string[]];
    if (rest.length === 0) root[first] = featureNode(feature);
    else groups.set(first, { ...groups.get(first), [rest.join("/")]: featureNode(feature) });
  }
  for (const [group, children] of groups) root[group] = dictNode(children);
  const steps = {
    pythonClassName: className("dataset_feature.Dataset"),
    sequence: { feature: dictNode(root), length: "-1" },
  };
  return dictNode({ steps });
}

type Open = {
  task: string;
  columns: Map<string, GrowingColumn>;
  pictures: Map<string, Uint8Array[]>;
  stampsNs: bigint[];
  lastS: number;
};

/** An episode as one record: every feature of all steps one after the other. */
function toExample(
  { task, columns, pictures, stampsNs }: Open,
  features: Readonly<Record<string, Feature>>,
): Map<string, ExampleValue> {
  const length = stampsNs.length;
  const flags = (holds: (step: number) => boolean) =>
    BigInt64Array.from({ length }, (_, step) => (holds(step) ? 1n : 0n));
  const example = new Map<string, ExampleValue>([
    ["steps/is_first", flags((step) => step === 0)],
    ["steps/is_last", flags((step) => step === length - 1)],
    ["steps/is_terminal", flags((step) => step === length - 1)],
    ["steps/reward", new Float32Array(length)],
    ["steps/discount", new Float32Array(length).fill(1)],
    ["steps/language_instruction", new Array<Uint8Array>(length).fill(Buffer.from(task))],
    [`steps/${stampFeature}`, BigInt64Array.from(stampsNs)],
  ]);
  for (const [name, column] of columns) {
    const { dtype } = features[name]!;
    const isWhole = dtype === "int64" || dtype === "int32" || dtype === "bool";
    const value = isWhole ? BigInt64Array.from(column.values, BigInt) : Float32Array.from(column.values);
    example.set(`steps/${pathOf(name)}`, value);
  }
  for (const [name, images] of pictures) example.set(`steps/${pathOf(name)}`, images);
  return example;
}

/**
 * Creates an RLDS data set as TFDS stores it: one split "train", an episode a record, pictures as png. `float64` is
 * stored as 32 bits, the format has no more.
 *
 * @throws UserError when the place is taken; ConfigError for texts, which RLDS has for instructions alone
 */
export async function createRldsWriter(path: string, options: RldsWriterOptions): Promise<RldsWriter> {
  const { features, fps, robotType, metadata = {}, shardBytes = 128 * 2 ** 20 } = options;
  for (const [name, { dtype }] of Object.entries(features)) {
    if (dtype === "string")
      throw new ConfigError(`${path}: feature "${name}": texts cannot be written but as the task.`);
  }
  const target = resolve(path);
  if ((await readdir(target).catch(() => [])).length > 0) {
    throw new UserError(`${path}: must be a new or empty folder. Choose another.`);
  }
  // TFDS keeps its versions in folders of their own: data/bridge/1.0.0.
  const named = /^\d+\.\d+\.\d+$/.test(basename(target)) ? dirname(target) : target;
  const name = options.name ?? basename(named).replaceAll(/\W+/g, "_").toLowerCase();
  const folder = `${target}.${process.pid}.part`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const shards: { episodes: number; bytes: number }[] = [];
  let open: Open | undefined;
  let finished = false;
  const partName = (shard: number) => join(folder, `${shard}.records`);
  const current = (): Open => {
    if (!open) throw new Error(`${path}: no episode is open; call startEpisode first`);
    return open;
  };

  return {
    async startEpisode(task) {
      if (open) throw new Error(`${path}: an episode is open already; call endEpisode first`);
      const columns = new Map(numberNames(features).map((key) => [key, new GrowingColumn()]));
      const pictures = new Map(cameraNames(features).map((key) => [key, [] as Uint8Array[]]));
      open = { task, columns, pictures, stampsNs: [], lastS: Number.NEGATIVE_INFINITY };
    },
    async addFrame(frame: EpisodeFrame) {
      const episode = current();
      checkFrame(path, features, frame, { frame: episode.stampsNs.length, lastS: episode.lastS });
      for (const [key, column] of episode.columns) column.add(frame.values[key]!);
      for (const [key, images] of episode.pictures) images.push(encodePng(frame.images[key]!));
      episode.stampsNs.push(BigInt(Math.round(frame.timestampS * 1e9)));
      episode.lastS = frame.timestampS;
    },
    async endEpisode() {
      if (current().stampsNs.length === 0)
        throw new UserError(`${path}: an episode must have at least one frame, got none.`);
      const record = frameRecord(encodeExample(toExample(current(), features)));
      const last = shards.at(-1);
      if (!last || last.bytes + record.length > shardBytes) shards.push({ episodes: 0, bytes: 0 });
      await appendFile(partName(shards.length - 1), record).catch((cause) => {
        throw writeFailure(path, cause);
      });
      shards.at(-1)!.episodes++;
      shards.at(-1)!.bytes += record.length;
      open = undefined;
    },
    async dropEpisode() {
      open = undefined;
    },
    async finish() {
      if (shards.length === 0) throw new UserError(`${path}: a data set must have at least one episode, got none.`);
      const pad = (value: number) => String(value).padStart(5, "0");
      for (const shard of shards.keys()) {
        await rename(partName(shard), join(folder, `${name}-train.tfrecord-${pad(shard)}-of-${pad(shards.length)}`));
      }
      const split = {
        filepathTemplate: "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
        name: "train",
        numBytes: String(shards.reduce((sum, { bytes }) => sum + bytes, 0)),
        shardLengths: shards.map(({ episodes }) => String(episodes)),
      };
      const json = (value: unknown) => `${JSON.stringify(value, null, 4)}\n`;
      await writeFile(
        join(folder, "dataset_info.json"),
        json({ fileFormat: "tfrecord", name, splits: [split], version }),
      );
      await writeFile(join(folder, "features.json"), json(describeFeatures(features)));
      await writeFile(join(folder, sideFile), json({ fps, robotType, metadata }));
      await rm(target, { recursive: true, force: true });
      await rename(folder, target);
      finished = true;
    },
    async abort() {
      if (!finished) await rm(folder, { recursive: true, force: true });
    },
  };
}
