import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError, UserError } from "#core/errors.ts";
import { openHdf5 } from "./hdf5/reader.ts";
import { openLapa } from "./lapa/reader.ts";
import { openLeRobot } from "./lerobot/index.ts";
import { isEpisodeRecording, openMcapSet } from "./mcap/episodes.ts";
import { openRlds } from "./rlds/reader.ts";
import { type BagSetOptions, openBagSet } from "./rosbag/episodes.ts";
import { openVideoFolder } from "./video-folder-reader.ts";

export type OpenOptions = {
  /** Frames a second, for formats that do not say; RLDS, HDF5, LAPA and recordings. */
  readonly fps?: number;
  /** LIBERO's pictures lie upside down; "vertical" puts them upright. */
  readonly flip?: "none" | "vertical";
} & Pick<BagSetOptions, "topics" | "clock" | "task">;

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

/**
 * Opens a data set of any format, recognised by what lies there: LeRobot (v2.0, v2.1, v3.0), RLDS, robomimic, LIBERO or
 * ALOHA in HDF5, own recordings in MCAP, ROS recordings, rows of LAPA, a folder of videos.
 *
 * @throws FormatError when nothing is recognised, or what is recognised is damaged
 */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<EpisodeReader> {
  if (await isFile(join(path, "meta/info.json"))) return openLeRobot(path);
  if (await isFile(join(path, "features.json"))) return openRlds(path, options);
  const isOne = await isFile(path);
  const names = isOne ? [path] : (await readdir(path).catch(() => [])).sort();
  if (names.some((name) => /\.(hdf5|h5)$/.test(name))) return openHdf5(path, options);
  const recording = names.find((name) => /\.(mcap|db3|bag)$/.test(name));
  if (recording !== undefined) {
    const file = isOne ? path : join(path, recording);
    return extname(file) === ".mcap" && (await isEpisodeRecording(file))
      ? openMcapSet(path)
      : openBagSet(path, options);
  }
  if (!isOne && (await holdsBags(path, names))) return openBagSet(path, options);
  if (isOne && /\.jsonl?$/.test(path)) return openLapa(path, options);
  const rows = names.find((name) => lapaExports.includes(name));
  if (rows !== undefined) return openLapa(join(path, rows), options);
  try {
    if (!isOne && names.length > 0) return await openVideoFolder(path);
  } catch (error) {
    // A folder without videos is told below, together with all else that it might have been.
    if (error instanceof FormatError || !(error instanceof UserError)) throw error;
  }
  throw new FormatError(
    path,
    "must be a data set: LeRobot (meta/info.json), RLDS (features.json), HDF5 (.hdf5), recordings (.mcap, .bag, .db3), rows of LAPA (.jsonl, .json) or videos, but none of these is there. Name its root folder.",
  );
}

/** What an export for LAPA leaves in its folder. */
const lapaExports = ["finetune.json", "latent.jsonl"];

/** ROS 2 writes every recording as a folder with metadata.yaml. */
async function holdsBags(path: string, names: readonly string[]): Promise<boolean> {
  const found = await Promise.all(names.map((name) => isFile(join(path, name, "metadata.yaml"))));
  return found.some(Boolean);
}
