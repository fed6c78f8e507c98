import type { EpisodeReader } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { type ConvertOptions, convertDataset } from "./convert-dataset.ts";
import { isLeRobot } from "./episode-indices.ts";
import { joinLeRobot, type LeRobotReader } from "./lerobot/index.ts";
import { openDataset } from "./open-dataset.ts";

/**
 * Writes the episodes of several parts of one format as one set, in order. LeRobot sets are joined packet by packet,
 * others are read and written again, which is exact as they hold their pictures without loss.
 *
 * @returns number of episodes written
 * @throws UserError when the sets differ in rate or features, or the place is taken
 */
export async function joinDatasets(
  paths: readonly string[],
  target: string,
  options: Pick<ConvertOptions, "to" | "onProgress" | "signal">,
): Promise<number> {
  const { to, ...callbacks } = options;
  const first = await openDataset(paths[0]!);
  await first.close();
  if (isLeRobot(first) && (to === "lerobot-v2.1" || to === "lerobot-v3.0")) {
    const readers: LeRobotReader[] = [];
    try {
      for (const path of paths) {
        const reader = await openDataset(path);
        if (!isLeRobot(reader)) throw new UserError(`${path}: must be a LeRobot set as ${paths[0]}. Convert it first.`);
        readers.push(reader);
      }
      return await joinLeRobot(readers, target, { version: to === "lerobot-v3.0" ? "v3.0" : "v2.1", ...callbacks });
    } finally {
      for (const reader of readers) await reader.close();
    }
  }
  const joined = await concatenate(paths, first.info);
  try {
    return await convertDataset(joined, target, options);
  } finally {
    await joined.close();
  }
}

/** Several sets behind one reader; one of them is open at a time. */
async function concatenate(paths: readonly string[], info: EpisodeReader["info"]): Promise<EpisodeReader> {
  const places: { path: string; index: number }[] = [];
  let [open, openPath] = [undefined as EpisodeReader | undefined, ""];
  const use = async (path: string): Promise<EpisodeReader> => {
    if (open && openPath === path) return open;
    await open?.close();
    [open, openPath] = [await openDataset(path), path];
    return open;
  };
  for (const path of paths) {
    const { fps, episodes, features } = (await use(path)).info;
    const shapes = (set: typeof features) =>
      JSON.stringify(Object.entries(set).map(([name, { shape }]) => [name, shape]));
    if (fps !== info.fps || shapes(features) !== shapes(info.features))
      throw new UserError(
        `${path}: must have the rate and the features of ${info.path}, but differs. Join sets of one kind.`,
      );
    for (let index = 0; index < episodes; index++) places.push({ path, index });
  }
  return {
    info: { ...info, episodes: places.length, frames: Number.NaN },
    async episode(index) {
      const place = places[index]!;
      return { ...(await (await use(place.path)).episode(place.index)), index };
    },
    async *frames(index, camera, size) {
      const place = places[index]!;
      yield* (await use(place.path)).frames(place.index, camera, size);
    },
    async close() {
      await open?.close();
    },
  };
}
