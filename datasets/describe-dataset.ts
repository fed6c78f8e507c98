import type { DatasetInfo, EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { episodeIndices } from "./episode-indices.ts";

export type DatasetFacts = DatasetInfo & {
  /** Sum over the episodes of the time from the first to the last frame, and one interval. */
  readonly durationS: number;
  /** Tasks by how many episodes show them. */
  readonly tasks: readonly { readonly task: string; readonly episodes: number }[];
  readonly unreadable: readonly number[];
};

/** Reads the rows of every episode once (no pictures) and counts what is there. */
export async function describeDataset(
  reader: EpisodeReader,
  options: { readonly onProgress?: (done: number, total: number) => void; readonly signal?: AbortSignal } = {},
): Promise<DatasetFacts> {
  const indices = episodeIndices(reader);
  const tasks = new Map<string, number>();
  const unreadable: number[] = [];
  let [frames, durationS] = [0, 0];
  for (const [done, index] of indices.entries()) {
    options.signal?.throwIfAborted();
    try {
      const episode = await reader.episode(index);
      const { timestampsS: times } = episode;
      frames += episode.length;
      if (times.length > 0) durationS += times.at(-1)! - times[0]! + 1 / reader.info.fps;
      for (const task of episode.tasks) tasks.set(task, (tasks.get(task) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      unreadable.push(index);
    }
    options.onProgress?.(done + 1, indices.length);
  }
  const counted = [...tasks].map(([task, episodes]) => ({ task, episodes }));
  return {
    ...{ ...reader.info, episodes: indices.length, frames, durationS, unreadable },
    tasks: counted.sort((left, right) => right.episodes - left.episodes),
  };
}
