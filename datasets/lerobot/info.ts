/** @file `meta/info.json` of a LeRobotDataset, versions 2.0, 2.1 and 3.0. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Feature } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";

const versions = ["v2.0", "v2.1", "v3.0"] as const;
export type LeRobotVersion = (typeof versions)[number];

export type LeRobotInfo = {
  readonly version: LeRobotVersion;
  readonly robotType: string;
  readonly fps: number;
  readonly episodes: number;
  readonly frames: number;
  readonly chunksSize: number;
  readonly dataPath: string;
  readonly videoPath: string | null;
  readonly features: Readonly<Record<string, Feature>>;
  /** Everything else that stands in the file: splits, keys of other tools. */
  readonly metadata: Readonly<Record<string, unknown>>;
};

const dtypes = ["float32", "float64", "int64", "int32", "bool", "string", "video", "image"] as const;

const featureSchema = z.looseObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  names: z.unknown().optional(),
  info: z.record(z.string(), z.unknown()).nullish(),
  video_info: z.record(z.string(), z.unknown()).nullish(),
});

const infoSchema = z.looseObject({
  codebase_version: z.string(),
  robot_type: z.string().nullish(),
  total_episodes: z.int().nonnegative(),
  total_frames: z.int().nonnegative(),
  fps: z.number().positive(),
  chunks_size: z.int().positive().default(1000),
  data_path: z.string(),
  video_path: z.string().nullish(),
  features: z.record(z.string(), featureSchema),
});

/** Keys that this reader gives under other names; writers make them anew. */
const known = new Set([
  ...["codebase_version", "robot_type", "total_episodes", "total_frames", "total_tasks", "total_videos"],
  ...["total_chunks", "chunks_size", "fps", "data_path", "video_path", "features"],
  ...["data_files_size_in_mb", "video_files_size_in_mb"],
]);

/** Names of the last axis: LeRobot has them flat, nested in a list, or as `{ "motors": [...] }`. */
function flatNames(names: unknown): readonly string[] | null {
  if (Array.isArray(names)) {
    const flat = names.flat(3);
    return flat.every((name) => typeof name === "string") ? flat : null;
  }
  if (typeof names === "object" && names !== null) return flatNames(Object.values(names));
  return null;
}

function toFeature(path: string, key: string, raw: z.infer<typeof featureSchema>): Feature {
  const dtype = dtypes.find((name) => name === raw.dtype);
  if (!dtype) {
    throw new FormatError(
      path,
      `feature "${key}" must have a dtype of ${dtypes.join(", ")}, got "${raw.dtype}". Convert the column.`,
    );
  }
  const info = raw.info ?? raw.video_info;
  const common = { dtype, ...(info ? { info } : {}) };
  const [channels, height, width] = raw.shape;
  const isPicture = dtype === "image" || dtype === "video";
  // Some sets say channels first; decoded pictures are never that.
  if (isPicture && raw.shape.length === 3 && channels! <= 4 && width! > 4)
    return { ...common, shape: [height!, width!, channels!], names: ["height", "width", "channels"] };
  return { ...common, shape: raw.shape, names: flatNames(raw.names) };
}

/**
 * Reads and checks `meta/info.json`.
 *
 * @throws FormatError when it is missing, no JSON, lacks a key or is of another version
 */
export async function readLeRobotInfo(folder: string): Promise<LeRobotInfo> {
  const path = join(folder, "meta/info.json");
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(
      path,
      `must be there in a LeRobot data set, but is not (${cause.code}). Name its root folder.`,
      {
        cause,
      },
    );
  });
  const value = parseJson(path, text);
  const parsed = infoSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new FormatError(path, `key "${issue.path.join(".")}": ${issue.message}. Correct the file.`);
  }
  const raw = parsed.data;
  const version = versions.find((name) => name === raw.codebase_version);
  if (!version) {
    throw new FormatError(
      path,
      `codebase_version must be ${versions.join(", ")}, got "${raw.codebase_version}". Convert it.`,
    );
  }
  const features = Object.entries(raw.features).map(([key, feature]) => [key, toFeature(path, key, feature)] as const);
  return {
    version,
    robotType: raw.robot_type ?? "unknown",
    fps: raw.fps,
    episodes: raw.total_episodes,
    frames: raw.total_frames,
    chunksSize: raw.chunks_size,
    dataPath: raw.data_path,
    videoPath: raw.video_path ?? null,
    features: Object.fromEntries(features),
    metadata: Object.fromEntries(Object.entries(raw).filter(([key]) => !known.has(key))),
  };
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, `must be JSON (${(cause as Error).message}). Copy the file again.`, { cause });
  }
}

/** Lines of a jsonl file, each a JSON object. */
export async function readJsonLines(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `must be there, but is not (${cause.code}). Copy the data set again.`, { cause });
  });
  return text
    .split("\n")
    .map((line, index) => [line, index + 1] as const)
    .filter(([line]) => line.trim() !== "")
    .map(([line, number]) => {
      try {
        const value: unknown = JSON.parse(line);
        if (typeof value === "object" && value !== null && !Array.isArray(value))
          return value as Record<string, unknown>;
      } catch {
        // Falls through to the error below.
      }
      throw new FormatError(path, `line ${number} must be a JSON object, got ${line.slice(0, 60)}. Was the file cut?`);
    });
}

/** Fills `{episode_index:06d}` and the like. */
export function fillTemplate(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)(?::0?(\d+)d?)?\}/g, (whole, key: string, width: string | undefined) => {
    const value = values[key];
    return value === undefined ? whole : String(value).padStart(Number(width ?? 0), "0");
  });
}
