import { join } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { isFile, type VideoPlace } from "./viewer-source.ts";

/** @file Which data sets the viewer opens, and how each is recognised. */

/** An opened data set, whatever its format. */
export type OpenedSet = {
  readonly reader: EpisodeReader;
  /** Lengths are 0 where they are not known before an episode is opened. */
  readonly episodes: readonly { readonly index: number; readonly length: number; readonly tasks: readonly string[] }[];
  /** The stored video of a camera; `null`: its pictures come from the reader. */
  videoOf(index: number, camera: string): VideoPlace | null;
};

/** A data set as it was found; `path` is a folder, or a file of several episodes. */
export type FoundSet = { readonly path: string; readonly format: SetFormat };

export type SetFormat = "lerobot" | "rlds" | "hdf5";

async function openLeRobotSet(path: string): Promise<OpenedSet> {
  const { openLeRobot } = await import("#datasets/lerobot/index.ts");
  const reader = await openLeRobot(path);
  const places = new Map(reader.episodes.map((place) => [place.index, place]));
  return { reader, episodes: reader.episodes, videoOf: (index, camera) => places.get(index)?.videos[camera] ?? null };
}

/** Formats that keep single pictures and do not list their episodes. */
function withoutVideos(reader: EpisodeReader): OpenedSet {
  const episodes = Array.from({ length: reader.info.episodes }, (_, index) => ({ index, length: 0, tasks: [] }));
  return { reader, episodes, videoOf: () => null };
}

const openers: Readonly<Record<SetFormat, (path: string) => Promise<OpenedSet>>> = {
  lerobot: openLeRobotSet,
  rlds: async (path) => withoutVideos(await (await import("#datasets/rlds/reader.ts")).openRlds(path)),
  hdf5: async (path) => withoutVideos(await (await import("#datasets/hdf5/reader.ts")).openHdf5(path)),
};

/** @throws UserError when the set cannot be read */
export const openSet = ({ path, format }: FoundSet): Promise<OpenedSet> => openers[format](path);

export const isHdf5 = (name: string) => /\.(hdf5|h5)$/.test(name);

/** Recognises a folder that is one data set by the names in it. */
export async function recogniseFolder(path: string, names: readonly string[]): Promise<FoundSet | null> {
  if (names.includes("meta") && (await isFile(join(path, "meta/info.json")))) return { path, format: "lerobot" };
  if (names.includes("features.json") && names.includes("dataset_info.json")) return { path, format: "rlds" };
  return null;
}
