import { stat } from "node:fs/promises";

/** One stretch of video to learn from; without a range, the whole file. */
export type ClipSource = {
  /** Stable and unique inside its list: a path relative to the folder, an episode's name. */
  readonly name: string;
  readonly path: string;
  readonly caption?: string;
  /** Frames whose presentation time lies in [startS, endS). */
  readonly startS?: number;
  readonly endS?: number;
};

/** What tells one source from another and from an older version of itself, without reading it: an item of a job of shards. */
export async function describeSource({ name, path, startS, endS }: ClipSource): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  return JSON.stringify([name, startS, endS, info?.size ?? 0, Math.floor(info?.mtimeMs ?? 0)]);
}
