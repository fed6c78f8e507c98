/** @file Where each episode of a LeRobotDataset lies: one file each in version 2, many to a file in version 3. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "#core/errors.ts";
import { openParquet } from "../parquet.ts";
import { fillTemplate, type LeRobotInfo, readJsonLines } from "./info.ts";

export type VideoPlace = {
  readonly path: string;
  /** The episode's stretch inside the file, seconds; left out: the whole file. */
  readonly range?: { readonly startS: number; readonly endS: number };
};

export type EpisodePlace = {
  readonly index: number;
  readonly length: number;
  readonly tasks: readonly string[];
  readonly data: { readonly path: string; readonly rowStart: number };
  readonly videos: Readonly<Record<string, VideoPlace>>;
};

export const videoKeys = (info: LeRobotInfo): string[] =>
  Object.keys(info.features).filter((key) => info.features[key]!.dtype === "video");

/**
 * Lists all episodes, by index.
 *
 * @throws FormatError when the list itself is missing or damaged (a missing episode shows when it is read)
 */
export function listEpisodes(folder: string, info: LeRobotInfo): Promise<EpisodePlace[]> {
  return info.version === "v3.0" ? listVersion3(folder, info) : listVersion2(folder, info);
}

async function listVersion2(folder: string, info: LeRobotInfo): Promise<EpisodePlace[]> {
  const path = join(folder, "meta/episodes.jsonl");
  const lines = await readJsonLines(path);
  const places = lines.map(({ episode_index: index, length, tasks }): EpisodePlace => {
    if (typeof index !== "number" || typeof length !== "number") {
      throw new FormatError(
        path,
        `every line must have episode_index and length, got ${JSON.stringify({ index, length })}.`,
      );
    }
    const values = { episode_index: index, episode_chunk: Math.floor(index / info.chunksSize) };
    const videos = videoKeys(info).map((key) => [
      key,
      { path: join(folder, fillTemplate(info.videoPath ?? "", { ...values, video_key: key })) },
    ]);
    return {
      ...{ index, length, tasks: Array.isArray(tasks) ? tasks.map(String) : [] },
      data: { path: join(folder, fillTemplate(info.dataPath, values)), rowStart: 0 },
      videos: Object.fromEntries(videos),
    };
  });
  return places.sort((left, right) => left.index - right.index);
}

async function listVersion3(folder: string, info: LeRobotInfo): Promise<EpisodePlace[]> {
  const root = join(folder, "meta/episodes");
  const names = await readdir(root, { recursive: true }).catch((cause) => {
    throw new FormatError(root, `must be there in a v3.0 data set, but is not (${cause.code}). Copy it again.`, {
      cause,
    });
  });
  const rows: Row[] = [];
  for (const name of names.filter((file) => file.endsWith(".parquet")).sort())
    rows.push(...(await readRows(join(root, name), info)));
  const firstRow = new Map<string, number>();
  for (const row of rows)
    firstRow.set(row.dataPath, Math.min(firstRow.get(row.dataPath) ?? Number.POSITIVE_INFINITY, row.from));
  return rows
    .map(
      ({ index, length, tasks, dataPath, from, videos }): EpisodePlace => ({
        ...{ index, length, tasks },
        data: { path: join(folder, dataPath), rowStart: from - firstRow.get(dataPath)! },
        videos: Object.fromEntries(
          Object.entries(videos).map(([key, place]) => [key, { ...place, path: join(folder, place.path) }]),
        ),
      }),
    )
    .sort((left, right) => left.index - right.index);
}

type Row = Pick<EpisodePlace, "index" | "length" | "tasks" | "videos"> & { dataPath: string; from: number };

async function readRows(path: string, info: LeRobotInfo): Promise<Row[]> {
  const file = await openParquet(path);
  try {
    const cameras = videoKeys(info);
    const videoColumns = cameras.flatMap((key) =>
      ["chunk_index", "file_index", "from_timestamp", "to_timestamp"].map((field) => `videos/${key}/${field}`),
    );
    const columns = await file.columns([
      ...["episode_index", "length", "tasks", "data/chunk_index", "data/file_index", "dataset_from_index"],
      ...videoColumns,
    ]);
    return Array.from({ length: file.rows }, (_, row) => {
      const number = (name: string) => Number(columns.get(name)![row]);
      const videos = cameras.map((key) => [
        key,
        {
          path: fillTemplate(info.videoPath ?? "", {
            video_key: key,
            chunk_index: number(`videos/${key}/chunk_index`),
            file_index: number(`videos/${key}/file_index`),
          }),
          range: { startS: number(`videos/${key}/from_timestamp`), endS: number(`videos/${key}/to_timestamp`) },
        },
      ]);
      return {
        index: number("episode_index"),
        length: number("length"),
        tasks: (columns.get("tasks")![row] as unknown[]).map(String),
        dataPath: fillTemplate(info.dataPath, {
          chunk_index: number("data/chunk_index"),
          file_index: number("data/file_index"),
        }),
        from: number("dataset_from_index"),
        videos: Object.fromEntries(videos),
      };
    });
  } finally {
    await file.close();
  }
}

/** Texts of all tasks by their number. */
export async function readTasks(folder: string, info: LeRobotInfo): Promise<ReadonlyMap<number, string>> {
  if (info.version !== "v3.0") {
    const lines = await readJsonLines(join(folder, "meta/tasks.jsonl"));
    return new Map(lines.map(({ task_index: index, task }) => [Number(index), String(task)]));
  }
  const file = await openParquet(join(folder, "meta/tasks.parquet"));
  try {
    // pandas keeps the texts as its index, under the index's name or a made-up one.
    const text = file.names.find((name) => name !== "task_index") ?? "task";
    const columns = await file.columns(["task_index", text]);
    return new Map(columns.get("task_index")!.map((index, row) => [Number(index), String(columns.get(text)![row])]));
  } finally {
    await file.close();
  }
}
