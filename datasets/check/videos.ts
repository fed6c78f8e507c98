import { FormatError } from "#core/errors.ts";
import { type LeRobotReader, rangeOf } from "../lerobot/reader.ts";
import { packetTimes } from "../video/concat.ts";
import type { Finding } from "./findings.ts";
import { lerobotToleranceS } from "./timestamps.ts";

/** Videos of one episode against its rows: there, as many frames, at the same times. Nothing is decoded. */
export async function checkVideos(
  reader: LeRobotReader,
  episode: number,
  timestampsS: Float64Array,
  timesOf: (path: string) => Promise<Float64Array> = packetTimes,
): Promise<Finding[]> {
  const place = reader.episodes.find(({ index }) => index === episode)!;
  const findings: Finding[] = [];
  for (const camera of reader.cameras) {
    const video = place.videos[camera]!;
    const found = (severity: Finding["severity"], message: string) =>
      findings.push({ severity, check: "videos", episode, feature: camera, message });
    try {
      const { startS = Number.NEGATIVE_INFINITY, endS = Number.POSITIVE_INFINITY } = rangeOf(video, reader.info.fps);
      const times = (await timesOf(video.path)).filter((time) => time >= startS && time < endS);
      if (times.length !== timestampsS.length) {
        found("error", `the video has ${times.length} frames, the episode ${timestampsS.length} rows`);
        continue;
      }
      const from = video.range?.startS ?? 0;
      const worstS = times.reduce(
        (worst, time, frame) => Math.max(worst, Math.abs(time - from - timestampsS[frame]!)),
        0,
      );
      if (worstS > lerobotToleranceS) {
        found("warning", `frames are shown up to ${worstS.toFixed(3)} s away from the time of their row`);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      found("error", error.message);
    }
  }
  return findings;
}
