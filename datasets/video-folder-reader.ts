import type { Episode, EpisodeReader } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { packetTimes } from "./video/concat.ts";
import { decodeVideo, type VideoFrame } from "./video/decode.ts";
import { probeVideo } from "./video/probe.ts";
import { listVideoFolder } from "./video-folder.ts";

/** The only camera of a folder of videos. */
export const videoFolderCamera = "observation.images.video";

/**
 * Opens a folder of videos as a data set without numbers: every video (or clip of `clips.jsonl`) is an episode, its
 * caption the task. The size and rate are those of the first one.
 *
 * @throws UserError when the folder holds no video; FormatError when the first one cannot be used
 */
export async function openVideoFolder(path: string): Promise<EpisodeReader> {
  const clips = await listVideoFolder(path);
  const [first] = clips;
  const { width, height, rateHz } = await probeVideo(first!.path);
  const fps = rateHz ?? averageRate(await packetTimes(first!.path));
  const clipOf = (index: number) => {
    const clip = clips[index];
    if (!clip) throw new UserError(`${path}: has no episode ${index}; it has ${clips.length}.`);
    return clip;
  };
  const rangeOf = (index: number) => {
    const { startS, endS } = clipOf(index);
    return { ...(startS === undefined ? {} : { startS }), ...(endS === undefined ? {} : { endS }) };
  };
  return {
    info: {
      ...{ path, format: "videos", fps, robotType: "unknown", episodes: clips.length, frames: Number.NaN },
      features: {
        [videoFolderCamera]: { dtype: "video", shape: [height, width, 3], names: ["height", "width", "channels"] },
      },
      metadata: {},
    },
    async episode(index): Promise<Episode> {
      const { startS = Number.NEGATIVE_INFINITY, endS = Number.POSITIVE_INFINITY, caption, ...clip } = clipOf(index);
      const inside = (await packetTimes(clip.path)).filter((time) => time >= startS && time < endS);
      const timestampsS = inside.map((time) => time - inside[0]!);
      return { index, length: timestampsS.length, tasks: caption ? [caption] : [], timestampsS, columns: {} };
    },
    async *frames(index, camera, size): AsyncGenerator<VideoFrame> {
      if (camera !== videoFolderCamera)
        throw new UserError(`${path}: has no camera "${camera}"; it has ${videoFolderCamera}.`);
      yield* decodeVideo(clipOf(index).path, { ...rangeOf(index), ...(size === undefined ? {} : { size }) });
    },
    async close() {},
  };
}

const averageRate = (timesS: Float64Array): number =>
  timesS.length > 1 ? (timesS.length - 1) / (timesS.at(-1)! - timesS[0]!) : 1;
