import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeWhole } from "#core/write-whole.ts";
import { ParquetBuilder, type ParquetColumn } from "../parquet.ts";
import { joinVideos, packetTimes } from "../video/concat.ts";
import { addPictures, globalStatistics, type Pictures } from "./global-statistics.ts";
import { fillTemplate } from "./info.ts";
import { episodeSchema, imageKeys } from "./schema.ts";
import type { FeatureStatistics } from "./statistics.ts";
import {
  type EpisodeStore,
  episodeStatistics,
  type NewEpisode,
  parquetColumns,
  type StoreOptions,
  storedFeatures,
  TaskTable,
  withAutomaticColumns,
  without,
} from "./store.ts";

const chunksSize = 1000;
/** LeRobot's own limits; a file is closed when the next episode would make it larger. */
const defaultLimits = { dataMegabytes: 100, videoMegabytes: 200 };
const dataPath = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet";
const videoPath = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4";

const place = (file: number) => ({ chunk_index: Math.floor(file / chunksSize), file_index: file % chunksSize });

/** Rows of `meta/episodes`, growing episode by episode. */
type EpisodeRow = Record<string, unknown>;
type Waiting = {
  readonly path: string;
  readonly bytes: number;
  readonly row: EpisodeRow;
  readonly times: Float64Array;
};

/** Many episodes to a Parquet file (a row group each) and to a video. */
export function createStoreV30(options: StoreOptions, limits: typeof defaultLimits = defaultLimits): EpisodeStore {
  const { folder, fps, robotType, features, metadata } = options;
  const { columns: schema, keyValues } = episodeSchema(features);
  const cameras = Object.keys(features).filter((key) => features[key]!.dtype === "video");
  const tasks = new TaskTable(options.tasks);
  const rows: EpisodeRow[] = [];
  const pictures = new Map<string, Pictures>();
  const dataFiles: string[] = [];
  const videoFiles = new Map<string, number>(cameras.map((camera) => [camera, 0]));
  const waiting = new Map<string, Waiting[]>(cameras.map((camera) => [camera, []]));
  let builder: ParquetBuilder | undefined;
  let frames = 0;

  async function pathOf(template: string, values: Record<string, string | number>): Promise<string> {
    const path = join(folder, fillTemplate(template, values));
    await mkdir(dirname(path), { recursive: true });
    return path;
  }
  async function closeData(): Promise<void> {
    if (!builder) return;
    const path = await pathOf(dataPath, place(dataFiles.length));
    writeWhole(path, builder.finish());
    dataFiles.push(path);
    builder = undefined;
  }

  /** Joins the waiting episodes of a camera; where each begins is measured in the joined file, not assumed. */
  async function closeVideo(camera: string): Promise<void> {
    const parts = waiting.get(camera)!.splice(0);
    if (parts.length === 0) return;
    const file = videoFiles.get(camera)!;
    videoFiles.set(camera, file + 1);
    const path = await pathOf(videoPath, { ...place(file), video_key: camera });
    const durations = parts.map(({ path: part, times }) => ({
      path: part,
      durationS: times.at(-1)! - times[0]! + 1 / fps,
    }));
    await joinVideos(path, durations);
    const joined = await packetTimes(path);
    let first = 0;
    for (const { row, times } of parts) {
      const startS = joined[first]! - times[0]!;
      first += times.length;
      const { chunk_index: chunk, file_index: index } = place(file);
      row[`videos/${camera}/chunk_index`] = chunk;
      row[`videos/${camera}/file_index`] = index;
      row[`videos/${camera}/from_timestamp`] = startS;
      row[`videos/${camera}/to_timestamp`] = startS + times.at(-1)! + 1 / fps;
    }
    if (first !== joined.length) throw new Error(`${path}: ${joined.length} frames where ${first} were joined`);
  }

  return {
    async add(episode: NewEpisode) {
      const index = rows.length;
      const columns = withAutomaticColumns(episode, index, frames, tasks);
      builder ??= new ParquetBuilder(schema, keyValues);
      builder.add(parquetColumns(features, columns, episode.images));
      const row: EpisodeRow = {
        ...{ episode_index: index, tasks: [...new Set(episode.tasks)], length: episode.length },
        ...{
          "data/chunk_index": place(dataFiles.length).chunk_index,
          "data/file_index": place(dataFiles.length).file_index,
        },
        ...{ dataset_from_index: frames, dataset_to_index: frames + episode.length },
        ...{ "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0 },
      };
      const statistics = Object.entries(episodeStatistics(features, columns, episode.pictures));
      for (const [name, values] of statistics) {
        for (const [key, value] of Object.entries(values)) row[`stats/${name}/${key}`] = value;
      }
      rows.push(row);
      frames += episode.length;
      if (builder.byteLength > limits.dataMegabytes * 2 ** 20) await closeData();
      for (const camera of cameras) await addVideo(camera, episode, row);
      for (const camera of [...cameras, ...imageKeys(features)]) {
        const seen = episode.pictures[camera];
        if (seen) addPictures(pictures, camera, seen.histogram, seen.frames);
      }
    },
    async finish() {
      await closeData();
      for (const camera of cameras) await closeVideo(camera);
      await mkdir(join(folder, "meta"), { recursive: true });
      writeEpisodes(await pathOf("meta/episodes/chunk-000/file-000.parquet", {}), rows);
      writeTasks(join(folder, "meta/tasks.parquet"), tasks);
      const statistics: Record<string, FeatureStatistics> = await globalStatistics(features, dataFiles, pictures);
      await writeFile(join(folder, "meta/stats.json"), `${JSON.stringify(statistics, null, 4)}\n`);
      const { splits = { train: `0:${rows.length}` }, ...extra } = metadata;
      const info = {
        ...{ codebase_version: "v3.0", robot_type: robotType, total_episodes: rows.length, total_frames: frames },
        ...{ total_tasks: tasks.entries.length, chunks_size: chunksSize, fps, splits },
        ...{ data_files_size_in_mb: limits.dataMegabytes, video_files_size_in_mb: limits.videoMegabytes },
        ...{ data_path: dataPath, video_path: cameras.length > 0 ? videoPath : null },
        features: storedFeatures(features),
      };
      await writeFile(
        join(folder, "meta/info.json"),
        `${JSON.stringify({ ...info, ...without(extra, info) }, null, 4)}\n`,
      );
    },
  };

  async function addVideo(camera: string, episode: NewEpisode, row: EpisodeRow): Promise<void> {
    const source = episode.videos[camera]!;
    const { size: bytes } = await stat(source);
    const queue = waiting.get(camera)!;
    const queued = queue.reduce((sum, part) => sum + part.bytes, 0);
    if (queue.length > 0 && queued + bytes > limits.videoMegabytes * 2 ** 20) await closeVideo(camera);
    const path = await pathOf("part/{camera}-{index}.mp4", { camera: cameras.indexOf(camera), index: rows.length });
    await rename(source, path);
    queue.push({ path, bytes, row, times: await packetTimes(path) });
  }
}

/** `meta/tasks.parquet` as pandas writes a frame whose index are the tasks. */
function writeTasks(path: string, tasks: TaskTable): void {
  const index = "__index_level_0__";
  const describe = (name: string | null, field: string, pandas: string, numpy: string) => ({
    ...{ name, field_name: field, pandas_type: pandas, numpy_type: numpy, metadata: null },
  });
  const pandas = {
    index_columns: [index],
    column_indexes: [{ ...describe(null, "None", "unicode", "object"), metadata: { encoding: "UTF-8" } }],
    columns: [describe("task_index", "task_index", "int64", "int64"), describe(null, index, "unicode", "object")],
    creator: { library: "armature", version: "1" },
    pandas_version: "2.0.0",
  };
  const columns: ParquetColumn[] = [
    { name: "task_index", type: "INT64", values: tasks.entries.map(([, number]) => BigInt(number)) },
    { name: index, type: "STRING", values: tasks.entries.map(([task]) => task) },
  ];
  const builder = new ParquetBuilder(columns, { pandas: JSON.stringify(pandas) });
  builder.add(columns);
  writeWhole(path, builder.finish());
}

/** `meta/episodes`: one row an episode; the columns are those of the first row. */
function writeEpisodes(path: string, rows: readonly EpisodeRow[]): void {
  const columns = Object.keys(rows[0] ?? {}).map((name): ParquetColumn => {
    const depth = depthOf(rows[0]![name]);
    const values = rows.map((row) => row[name]);
    if (name === "tasks") return { name, type: "STRING", depth: 1, values };
    if (name.startsWith("stats/") && !name.endsWith("/count"))
      return { name, type: "DOUBLE", depth, values: values.map(toNumbers) };
    if (name.endsWith("_timestamp")) return { name, type: "DOUBLE", values };
    return { name, type: "INT64", depth, values: values.map(toIntegers) };
  });
  const builder = new ParquetBuilder(columns);
  builder.add(columns);
  writeWhole(path, builder.finish());
}

const depthOf = (value: unknown): number => (Array.isArray(value) ? 1 + depthOf(value[0]) : 0);
const toNumbers = (value: unknown): unknown => (Array.isArray(value) ? value.map(toNumbers) : Number(value));
const toIntegers = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(toIntegers) : BigInt(value as number);
