import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { openHdf5 } from "./hdf5/reader.ts";
import { openLeRobot } from "./lerobot/index.ts";
import { openMcapSet } from "./mcap/episodes.ts";
import { openRlds } from "./rlds/reader.ts";

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

/**
 * Opens a data set of any format, recognised by what lies there: LeRobot (v2.0, v2.1, v3.0), RLDS, robomimic, LIBERO or
 * ALOHA in HDF5, own recordings in MCAP.
 *
 * @throws FormatError when nothing is recognised, or what is recognised is damaged
 */
export async function openDataset(path: string): Promise<EpisodeReader> {
  if (await isFile(join(path, "meta/info.json"))) return openLeRobot(path);
  if (await isFile(join(path, "features.json"))) return openRlds(path);
  const names = (await isFile(path)) ? [path] : await readdir(path).catch(() => []);
  if (names.some((name) => /\.(hdf5|h5)$/.test(name))) return openHdf5(path);
  if (names.some((name) => name.endsWith(".mcap"))) return openMcapSet(path);
  throw new FormatError(
    path,
    "must be a data set: LeRobot (meta/info.json), RLDS (features.json), HDF5 (.hdf5) or MCAP (.mcap), but none of these is there. Name its root folder.",
  );
}
