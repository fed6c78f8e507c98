import { findFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import type { VideoInfo } from "./ffmpeg-log.ts";
import { FfmpegLog } from "./ffmpeg-log.ts";
import { openError, requireVideoFile } from "./video-error.ts";

export type { VideoInfo } from "./ffmpeg-log.ts";

/**
 * Demuxers that may open a video file. Others follow links to further files and hosts (hls, concat) or read text as
 * pictures. Sound formats are here so that they get their own message.
 */
const containers =
  "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,nut,ivf,obu,gif,h264,hevc,m4v,mjpeg,yuv4mpegpipe,wav,mp3,aac,flac";

/** Input options: one local file, nothing that it may point to. */
export const inputOptions = (path: string): string[] => [
  ...["-protocol_whitelist", "file", "-format_whitelist", containers],
  ...["-i", `file:${path}`],
];

/**
 * Reads what a video says of itself, without decoding it.
 *
 * @throws FormatError that names the file and why it is no usable video
 */
export async function probeVideo(path: string, signal?: AbortSignal): Promise<VideoInfo> {
  signal?.throwIfAborted();
  await requireVideoFile(path);
  const log = new FfmpegLog();
  const ffmpeg = startFfmpeg(
    await findFfmpeg(),
    ["-nostdin", ...inputOptions(path), "-map", "0:V:0", "-c", "copy", "-frames:v", "1", "-f", "null", "-"],
    { input: "ignore", output: "ignore" },
    log.push,
  );
  signal?.addEventListener("abort", ffmpeg.kill, { once: true });
  const exitCode = await ffmpeg.exited;
  signal?.removeEventListener("abort", ffmpeg.kill);
  signal?.throwIfAborted();
  const info = log.info(path);
  if (!info || info.width === 0 || exitCode !== 0) throw await openError(path, log);
  return info;
}
