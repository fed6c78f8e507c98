import { rename, rm, stat } from "node:fs/promises";
import type { EpisodeFrame, Feature } from "#core/contracts/episode.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { cameraNames, checkFrame, type DatasetWriter, GrowingColumn, numberNames } from "../episode-buffer.ts";
import { createHdf5File, type Group } from "./hdf5-file.ts";

export type RobomimicWriterOptions = {
  readonly fps: number;
  readonly robotType: string;
  readonly features: Readonly<Record<string, Feature>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
};

export type RobomimicWriter = DatasetWriter;

const rootNames: Readonly<Record<string, string>> = {
  action: "actions",
  "next.reward": "rewards",
  "next.done": "dones",
};

/** Where robomimic looks for a feature inside a demonstration. */
function placeOf(name: string): { group: "" | "obs"; key: string } {
  const root = rootNames[name];
  if (root) return { group: "", key: root };
  if (name.startsWith("observation.")) return { group: "obs", key: name.replace(/^observation\.(images\.)?/, "") };
  return { group: "", key: name };
}

const numberTypes = { float32: "<f", float64: "<d", int64: "<q", int32: "<i", bool: "<B" } as const;

type Open = {
  task: string;
  columns: Map<string, GrowingColumn>;
  pictures: Map<string, Uint8Array[]>;
  frames: number;
  lastS: number;
};

/**
 * Creates a file of demonstrations as robomimic reads it: `data/demo_0/{actions, obs/...}`, pictures raw u8 and
 * gzipped. Times of the frames are kept as `timestamps`, which robomimic ignores.
 *
 * One episode is held in memory at a time; the file gets its name when it is finished.
 *
 * @throws ConfigError for features that it cannot hold; UserError when `path` is there already
 */
export async function createRobomimicWriter(path: string, options: RobomimicWriterOptions): Promise<RobomimicWriter> {
  const { features, fps } = options;
  for (const [name, { dtype }] of Object.entries(features)) {
    if (dtype === "string")
      throw new ConfigError(`${path}: feature "${name}": texts cannot be written to robomimic files.`);
  }
  if (await stat(path).catch(() => undefined))
    throw new UserError(`${path}: must not be there yet. Choose another name.`);
  const temporary = `${path}.${process.pid}.part`;
  const file = await createHdf5File(temporary);
  const data = file.create_group("data");
  const environment = {
    env_name: options.robotType,
    env_type: 1,
    env_kwargs: { control_freq: fps },
    ...options.metadata,
  };
  data.create_attribute("env_args", JSON.stringify(environment));
  let open: Open | undefined;
  let episodes = 0;
  let total = 0;
  let ended = false;

  const current = (): Open => {
    if (!open) throw new Error(`${path}: no episode is open; call startEpisode first`);
    return open;
  };
  return {
    async startEpisode(task) {
      if (open) throw new Error(`${path}: an episode is open already; call endEpisode first`);
      const columns = new Map([...numberNames(features), "timestamps"].map((name) => [name, new GrowingColumn()]));
      const pictures = new Map(cameraNames(features).map((name) => [name, [] as Uint8Array[]]));
      open = { task, columns, pictures, frames: 0, lastS: Number.NEGATIVE_INFINITY };
    },
    async addFrame(frame: EpisodeFrame) {
      const episode = current();
      checkFrame(path, features, frame, { frame: episode.frames, lastS: episode.lastS });
      for (const name of numberNames(features)) episode.columns.get(name)!.add(frame.values[name]!);
      episode.columns.get("timestamps")!.add([frame.timestampS]);
      for (const [name, pictures] of episode.pictures) pictures.push(frame.images[name]!.data.slice());
      episode.lastS = frame.timestampS;
      episode.frames++;
    },
    async endEpisode() {
      const episode = current();
      if (episode.frames === 0)
        throw new UserError(`${path}: episode ${episodes} must have at least one frame, got none.`);
      writeDemonstration(data.create_group(`demo_${episodes}`), episode, features);
      total += episode.frames;
      episodes++;
      open = undefined;
    },
    async dropEpisode() {
      open = undefined;
    },
    async finish() {
      if (episodes === 0) throw new UserError(`${path}: a data set must have at least one episode, got none.`);
      data.create_attribute("total", BigInt64Array.of(BigInt(total)), []);
      file.close();
      ended = true;
      await rename(temporary, path);
    },
    async abort() {
      if (ended) return;
      ended = true;
      file.close();
      await rm(temporary, { force: true });
    },
  };
}

function writeDemonstration(
  demo: Group,
  { task, columns, pictures, frames }: Open,
  features: RobomimicWriterOptions["features"],
): void {
  const observations = demo.create_group("obs");
  demo.create_attribute("num_samples", BigInt64Array.of(BigInt(frames)), []);
  demo.create_attribute("language_instruction", task);
  const groupOf = (group: "" | "obs") => (group === "obs" ? observations : demo);
  for (const [name, column] of columns) {
    const feature: Feature = features[name] ?? { dtype: "float64", shape: [1], names: null };
    const { group, key } = placeOf(name);
    const isScalar = feature.shape.length === 1 && feature.shape[0] === 1;
    const data =
      feature.dtype === "bool"
        ? Uint8Array.from(column.values)
        : feature.dtype === "int32"
          ? Int32Array.from(column.values)
          : column.toColumn(feature);
    const shape = isScalar ? [frames] : [frames, ...feature.shape];
    groupOf(group).create_dataset({
      name: key,
      data,
      shape,
      dtype: numberTypes[feature.dtype as keyof typeof numberTypes],
    });
  }
  for (const [name, images] of pictures) {
    const { key } = placeOf(name);
    const [height, width] = features[name]!.shape as [number, number];
    const shape = [frames, height, width, 3];
    observations.create_dataset({
      name: key,
      data: Uint8Array.from(Buffer.concat(images)),
      shape,
      dtype: "<B",
      chunks: [1, height, width, 3],
      compression: 4,
    });
  }
}
