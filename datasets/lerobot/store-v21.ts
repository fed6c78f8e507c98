import { appendFile, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeParquet } from "../parquet.ts";
import { fillTemplate } from "./info.ts";
import { episodeSchema } from "./schema.ts";
import { withoutQuantiles } from "./statistics.ts";
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
const dataPath = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet";
const videoPath = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4";

const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/** One Parquet file and one video per camera for every episode; lists as jsonl. */
export function createStoreV21({
  folder,
  fps,
  robotType,
  features,
  metadata,
  tasks: known,
}: StoreOptions): EpisodeStore {
  const { keyValues } = episodeSchema(features);
  const cameras = Object.keys(features).filter((key) => features[key]!.dtype === "video");
  const tasks = new TaskTable(known);
  let episodes = 0;
  let frames = 0;

  async function place(template: string, videoKey = ""): Promise<string> {
    const values = { episode_index: episodes, episode_chunk: Math.floor(episodes / chunksSize), video_key: videoKey };
    const path = join(folder, fillTemplate(template, values));
    await mkdir(dirname(path), { recursive: true });
    return path;
  }

  return {
    async add(episode: NewEpisode) {
      const columns = withAutomaticColumns(episode, episodes, frames, tasks);
      writeParquet(await place(dataPath), parquetColumns(features, columns, episode.images), keyValues);
      for (const camera of cameras) await rename(episode.videos[camera]!, await place(videoPath, camera));
      await mkdir(join(folder, "meta"), { recursive: true });
      const meta = { episode_index: episodes, tasks: [...new Set(episode.tasks)], length: episode.length };
      await appendFile(join(folder, "meta/episodes.jsonl"), line(meta));
      const all = Object.entries(episodeStatistics(features, columns, episode.pictures));
      const stats = Object.fromEntries(all.map(([name, statistics]) => [name, withoutQuantiles(statistics)]));
      await appendFile(join(folder, "meta/episodes_stats.jsonl"), line({ episode_index: episodes, stats }));
      episodes++;
      frames += episode.length;
    },
    async finish() {
      const { splits = { train: `0:${episodes}` }, ...extra } = metadata;
      const info = {
        ...{ codebase_version: "v2.1", robot_type: robotType, total_episodes: episodes, total_frames: frames },
        ...{ total_tasks: tasks.entries.length, total_videos: episodes * cameras.length },
        ...{ total_chunks: Math.ceil(episodes / chunksSize), chunks_size: chunksSize, fps, splits },
        ...{ data_path: dataPath, video_path: cameras.length > 0 ? videoPath : null },
        features: storedFeatures(features),
      };
      const taskLines = tasks.entries.map(([task, index]) => line({ task_index: index, task }));
      await writeFile(join(folder, "meta/tasks.jsonl"), taskLines.join(""));
      await writeFile(
        join(folder, "meta/info.json"),
        `${JSON.stringify({ ...info, ...without(extra, info) }, null, 4)}\n`,
      );
    },
  };
}
