import type { EpisodeReader } from "#core/contracts/episode.ts";
import type { LeRobotReader } from "./lerobot/reader.ts";

export const isLeRobot = (reader: EpisodeReader): reader is LeRobotReader => reader.info.format.startsWith("lerobot-");

/** Numbers of all episodes: LeRobot lists them and may leave some out, every other format counts from 0. */
export const episodeIndices = (reader: EpisodeReader): readonly number[] =>
  isLeRobot(reader)
    ? reader.episodes.map(({ index }) => index)
    : Array.from({ length: reader.info.episodes }, (_, index) => index);

/** The same set with the given episodes alone, which keep their numbers in LeRobot and are counted anew elsewhere. */
export function pickEpisodes(reader: EpisodeReader, indices: readonly number[]): EpisodeReader {
  const info = { ...reader.info, episodes: indices.length, frames: Number.NaN };
  if (isLeRobot(reader)) {
    const wanted = new Set(indices);
    return { ...reader, info, episodes: reader.episodes.filter(({ index }) => wanted.has(index)) } as LeRobotReader;
  }
  return {
    info,
    episode: async (index) => ({ ...(await reader.episode(indices[index]!)), index }),
    frames: (index, camera, size) => reader.frames(indices[index]!, camera, size),
    close: () => reader.close(),
  };
}
