/**
 * @file What a part of a set (one shard's episode) keeps beside it until the parts are joined: how often each grey level
 * was seen in its pictures before they were compressed. Joined sets then have the statistics, to the byte, that one
 * process would have written, and no video is decoded for them.
 */
import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { readJsonLines } from "./info.ts";
import type { SampledPictures } from "./statistics.ts";
import type { EpisodeStore } from "./store.ts";

const nameIn = (folder: string) => join(folder, "meta/part_pictures.jsonl");

const lineSchema = z.strictObject({
  episode_index: z.int().min(0),
  cameras: z.record(
    z.string(),
    z.strictObject({ frames: z.int().min(1), histogram: z.array(z.int().min(0)).length(3 * 256) }),
  ),
});

/** Pictures of a part by episode, by camera. */
export type PartPictures = ReadonlyMap<number, Readonly<Record<string, SampledPictures>>>;

/** The same store, which also keeps the histograms of the pictures for `readPartPictures`. */
export function keepPartPictures(store: EpisodeStore, folder: string): EpisodeStore {
  let episodes = 0;
  return {
    async add(episode) {
      await store.add(episode);
      const cameras = Object.entries(episode.pictures).map(([camera, { histogram, frames }]) => [
        camera,
        { frames, histogram: [...histogram] },
      ]);
      await mkdir(join(folder, "meta"), { recursive: true });
      const line = { episode_index: episodes++, cameras: Object.fromEntries(cameras) };
      await appendFile(nameIn(folder), `${JSON.stringify(line)}\n`);
    },
    finish: () => store.finish(),
  };
}

/** @throws FormatError when the set was not written as a part, or its histograms are damaged */
export async function readPartPictures(folder: string): Promise<PartPictures> {
  const path = nameIn(folder);
  const lines = (await readJsonLines(path)).map((line, index) => {
    const parsed = lineSchema.safeParse(line);
    if (parsed.success) return parsed.data;
    throw new FormatError(
      path,
      `line ${index + 1} must hold the histograms of an episode, but does not (${z.prettifyError(parsed.error)}). Remove the part and run its shard again.`,
      { cause: parsed.error },
    );
  });
  return new Map(
    lines.map(({ episode_index: episode, cameras }) => [
      episode,
      Object.fromEntries(
        Object.entries(cameras).map(([camera, { frames, histogram }]) => [
          camera,
          { frames, histogram: Float64Array.from(histogram) },
        ]),
      ),
    ]),
  );
}
