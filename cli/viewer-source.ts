import { stat } from "node:fs/promises";
import type { EpisodeDetail, EpisodeGroup, VideoSource } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { pairFrames, readFrameTimes } from "./viewer-video-times.ts";

/** One group of the list with the means to open its episodes and find their files. */
export type GroupSource = {
  readonly group: EpisodeGroup;
  has(episode: string): boolean;
  /** @throws UserError when the episode cannot be read */
  episode(episode: string): Promise<EpisodeDetail>;
  rolloutFile(episode: string): Promise<string | null>;
  videoFile(episode: string, camera: string): Promise<string | null>;
};

export const fileUrl = (kind: "rollout" | "video", ...parts: string[]) =>
  `files/${kind}/${parts.map(encodeURIComponent).join("/")}`;

export const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile() && info.size > 0,
    () => false,
  );

/** A video file, and the episode's stretch of it in seconds where several episodes share one. */
export type VideoPlace = {
  readonly path: string;
  readonly range?: { readonly startS: number; readonly endS: number };
};

/** The times of an episode's own frames; a quarter of a frame absorbs rounding at the seams between episodes. */
function cutTimes(fileTimesS: readonly number[], range: VideoPlace["range"], rateHz: number): readonly number[] {
  if (!range) return fileTimesS;
  const slackS = 0.25 / rateHz;
  return fileTimesS.filter((timeS) => timeS >= range.startS - slackS && timeS < range.endS - slackS);
}

/** Reads the frame times of an episode's videos; one that is missing or broken becomes a note. */
export async function openVideos(
  places: ReadonlyMap<string, VideoPlace>,
  timestampsS: readonly number[],
  rateHz: number,
  url: (camera: string) => string,
): Promise<{ videos: VideoSource[]; notes: string[] }> {
  const videos: VideoSource[] = [];
  const notes: string[] = [];
  for (const [camera, { path, range }] of places) {
    if (!(await isFile(path))) {
      notes.push(`Camera ${camera}: the video of this episode is missing.`);
      continue;
    }
    try {
      const fileTimesS = cutTimes(await readFrameTimes(path), range, rateHz);
      videos.push({ camera, url: url(camera), frameTimesS: pairFrames(fileTimesS, timestampsS, range?.startS) });
      if (fileTimesS.length !== timestampsS.length) {
        notes.push(`Camera ${camera}: ${fileTimesS.length} pictures for ${timestampsS.length} rows, paired by time.`);
      }
    } catch (error) {
      notes.push(`Camera ${camera}: ${(error as Error).message}`);
    }
  }
  return { videos, notes };
}
