/** @file Joins and cuts mp4 files without touching a picture: packets are copied as they are. */
import { rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FormatError } from "#core/errors.ts";
import { findFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import { inputOptions } from "./probe.ts";
import { requireVideoFile } from "./video-error.ts";

const timescale = 90_000;

async function run(args: readonly string[], path: string, read?: (text: string) => void): Promise<void> {
  const problems: string[] = [];
  const ffmpeg = startFfmpeg(
    await findFfmpeg(),
    ["-nostdin", ...args],
    { input: "ignore", output: read ? "pipe" : "ignore" },
    (line) => {
      if (/\[(error|fatal)\]/.test(line)) problems.push(line);
    },
  );
  ffmpeg.child.stdout?.setEncoding("utf8").on("data", (text: string) => read?.(text));
  const code = await ffmpeg.exited;
  if (code !== 0)
    throw new FormatError(path, `the video could not be copied (${problems.at(-1) ?? `ffmpeg ended with ${code}`}).`);
}

/**
 * Presentation times of all frames in increasing order, from the packets alone: nothing is decoded.
 *
 * @throws FormatError when the file is no readable video
 */
export async function packetTimes(path: string): Promise<Float64Array> {
  await requireVideoFile(path);
  let text = "";
  await run(
    ["-copyts", ...inputOptions(path), "-map", "0:V:0", "-c", "copy", "-f", "framecrc", "pipe:1"],
    path,
    (part) => {
      text += part;
    },
  );
  const [, numerator, denominator] = /^#tb 0: (\d+)\/(\d+)/m.exec(text) ?? [];
  const times = text
    .split("\n")
    .filter((line) => /^0,/.test(line))
    .map((line) => (Number(line.split(",")[2]) * Number(numerator)) / Number(denominator));
  return Float64Array.from(times).sort();
}

export type Part = { readonly path: string; readonly durationS: number };

/** Joins videos of one camera and encoder, each as long as it says, into `path`. */
export async function joinVideos(path: string, parts: readonly Part[]): Promise<void> {
  const list = `${path}.txt`;
  const temporary = `${path}.part`;
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = parts.map((part) => `file ${quoted(resolve(part.path))}\nduration ${part.durationS.toFixed(9)}\n`);
  await writeFile(list, `ffconcat version 1.0\n${lines.join("")}`);
  try {
    await run(
      [
        ...["-f", "concat", "-safe", "0", "-i", `file:${list}`, "-map", "0:V:0", "-c", "copy"],
        ...[
          "-video_track_timescale",
          `${timescale}`,
          "-movflags",
          "+faststart",
          "-f",
          "mp4",
          "-y",
          `file:${temporary}`,
        ],
      ],
      path,
    );
    await rename(temporary, path);
  } finally {
    await rm(list, { force: true });
    await rm(temporary, { force: true });
  }
}

/**
 * Copies `frames` frames from the one at `startS` on out of a video; that one must be a keyframe, as it is in joined
 * files. In the copy it is at `newStartS`.
 *
 * @throws FormatError when the stretch does not begin with a keyframe or has fewer frames
 */
export async function cutVideo(
  from: string,
  to: string,
  { startS, frames, newStartS }: { readonly startS: number; readonly frames: number; readonly newStartS: number },
): Promise<void> {
  await requireVideoFile(from);
  await run(
    [
      // A millisecond of slack, so that rounding cannot land on the keyframe before.
      ...["-copyts", "-ss", (startS + 1e-3).toFixed(6), ...inputOptions(from), "-map", "0:V:0", "-c", "copy"],
      ...["-frames:v", `${frames}`, "-output_ts_offset", (newStartS - startS).toFixed(6)],
      ...["-video_track_timescale", `${timescale}`, "-movflags", "+faststart", "-f", "mp4", "-y", `file:${to}`],
    ],
    from,
  );
  const times = await packetTimes(to);
  if (times.length !== frames || Math.abs(times[0]! - newStartS) > 1e-4) {
    throw new FormatError(
      from,
      `${frames} frames from ${startS.toFixed(3)} s on must begin with a keyframe to be cut out, got ${times.length} from ${times[0]?.toFixed(3)} s.`,
    );
  }
}
