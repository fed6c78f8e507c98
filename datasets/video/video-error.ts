/** @file One sentence for a video that cannot be used: which file, what is wrong, what to do. */
import { stat } from "node:fs/promises";
import { FormatError } from "#core/errors.ts";
import { inspectContainer } from "./container.ts";
import type { FfmpegLog } from "./ffmpeg-log.ts";

/**
 * Refuses what is no whole file before ffmpeg is started.
 *
 * @throws FormatError when the file is missing, a folder, empty, or ends before its container says
 */
export async function requireVideoFile(path: string): Promise<void> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === "ENOENT" ? "the video does not exist" : `the video cannot be read (${cause.code})`;
    throw new FormatError(path, `${problem}. Check the path.`, { cause });
  });
  if (info.isDirectory()) throw new FormatError(path, "must be a video file, got a folder. Name one of its files.");
  if (info.size === 0) {
    throw new FormatError(path, "the video is empty (0 bytes). Copy or record it again.");
  }
  const { missingBytes } = await inspectContainer(path);
  if (missingBytes > 0) {
    throw new FormatError(
      path,
      `the video is cut: ${missingBytes} of ${info.size + missingBytes} bytes are missing. Copy it again or re-encode what is left.`,
    );
  }
}

/** Why ffmpeg could not open the file or decode any frame of it. */
export async function openError(path: string, log: FfmpegLog): Promise<FormatError> {
  const words = log.problems.join("\n");
  if (log.opened && (/matches no streams/.test(words) || !log.info(path))) {
    return new FormatError(path, "must hold a video stream, but has none (audio only?). Leave it out.");
  }
  if (/moov atom not found/.test(words) && (await inspectContainer(path)).kind === "mp4") {
    return new FormatError(
      path,
      "the video is cut: its index (moov) is missing, so no frame can be found. Copy it again; a recording that was not stopped properly cannot be opened.",
    );
  }
  if (!log.opened) {
    return new FormatError(
      path,
      "must be a video (mp4, mov, mkv, webm, avi, ts, ...), but is not one or is damaged at its start. Leave it out or convert it.",
    );
  }
  const codec = log.info(path)?.codec ?? "unknown";
  if (codec === "none" || /decoder .*not found|unknown decoder|unsupported codec/i.test(words)) {
    return new FormatError(
      path,
      `this ffmpeg has no decoder for the video's codec (${codec}). Convert it to h264, or set FFMPEG_PATH to a fuller build.`,
    );
  }
  if (log.damage !== undefined) return damageError(path, 0, log.damage);
  return new FormatError(path, `the video cannot be decoded (${log.problems[0] ?? "no frame came out"}).`);
}

/** The file could be opened, but ends early or is damaged on the way. */
export function damageError(path: string, frames: number, words: string): FormatError {
  return new FormatError(
    path,
    `the video is cut or damaged: ${frames} frames could be decoded (${words.slice(0, 120)}). Copy it again or re-encode what is left.`,
  );
}
