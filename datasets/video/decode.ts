/**
 * @file Decodes a video in one ffmpeg process. Pixels come through a pipe (or go straight into a file), presentation
 * times through the log of the same process: a frame's line is written before its first byte.
 */
import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { type FfmpegProcess, findFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import { FfmpegLog, ticksPerSecond, type VideoInfo } from "./ffmpeg-log.ts";
import { inputOptions } from "./probe.ts";
import { damageError, openError, requireVideoFile } from "./video-error.ts";

/** One picture, upright, u8[H, W, 3], with its presentation time in seconds as the container gives it. */
export type VideoFrame = Image & { readonly timestampS: number };

/** How a picture becomes a square: the middle cut out (of what a person sees), or squeezed. */
export type Fit = "crop" | "stretch";

export type DecodeOptions = {
  /** Side of the square frames in pixels; left out: the stored size. */
  readonly size?: number;
  /** Default "crop". */
  readonly fit?: Fit;
  /** Only frames whose time is in [startS, endS), found by their keyframe. */
  readonly startS?: number;
  readonly endS?: number;
  /** Threads of the decoder; left out: as many as there are cores. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
};

/** Change whenever the same file gives other pixels: it is part of the key of every cached frame. */
export const decoderVersion = "ffmpeg-area-2";

/**
 * From a stored picture to the wanted square (or its stored size) in rgb, with a line in the log for every frame.
 *
 * Area averages what a small picture cannot show. It is scaled with colour at full resolution first and turned into rgb
 * after that: swscale does the two steps faster than both at once, and without the loss (two levels too dark, half the
 * colour resolution) of its fast single step. At the stored size only the colour is upsampled.
 */
export function pictureFilters({ size, fit = "crop", startS, endS }: DecodeOptions): string {
  const middle = size !== undefined && fit === "crop" ? ["crop=w='min(iw,ih/sar)':h='min(iw*sar,ih)'"] : [];
  const wanted = `gte(t,${startS ?? "-1e12"})*lt(t,${endS ?? "1e12"})`;
  const toSize =
    size === undefined
      ? ["scale=flags=bicubic+accurate_rnd+full_chroma_int"]
      : [`scale=${size}:${size}:flags=area`, "format=yuv444p|yuvj444p|gbrp|rgb24", "scale=flags=area", "setsar=1"];
  return [
    `settb=1/${ticksPerSecond}`,
    `select='if(${wanted},1+0*print(pts),0)'`,
    ...middle,
    ...toSize,
    "format=rgb24",
  ].join(",");
}

type Decoder = { readonly log: FfmpegLog; readonly process: FfmpegProcess };

async function startDecoder(path: string, options: DecodeOptions, file?: string): Promise<Decoder> {
  options.signal?.throwIfAborted();
  await requireVideoFile(path);
  const ffmpeg = await findFfmpeg();
  const log = new FfmpegLog();
  // Seeking lands on the keyframe before; the select filter then decides by exact times. A second of slack for rounding.
  const seek = options.startS === undefined || options.startS <= 1 ? [] : ["-ss", String(options.startS - 1)];
  const args = [
    ...["-nostdin", "-copyts", ...seek],
    ...(options.threads === undefined ? [] : ["-threads", String(options.threads)]),
    ...inputOptions(path),
    ...["-map", "0:V:0", "-vf", pictureFilters(options), ...ffmpeg.passthrough],
    ...["-f", "rawvideo", "-y", file === undefined ? "pipe:1" : `file:${file}`],
  ];
  const process = startFfmpeg(
    ffmpeg,
    args,
    { input: "ignore", output: file === undefined ? "pipe" : "ignore" },
    log.push,
  );
  process.exited.then(
    () => log.end(),
    () => log.end(),
  );
  return { log, process };
}

/** Throws unless the file was read to its end without damage. */
async function requireWhole(path: string, log: FfmpegLog, exitCode: number, options: DecodeOptions): Promise<void> {
  if (log.timesS.length === 0 || !log.outputSize) {
    const nothingThere = log.outputSize !== undefined && log.problems.length === 0 && exitCode === 0;
    if (nothingThere && (options.startS !== undefined || options.endS !== undefined)) return;
    throw await openError(path, log);
  }
  const frames = log.timesS.length;
  if (log.damage !== undefined) throw damageError(path, frames, log.damage);
  if (exitCode !== 0) throw damageError(path, frames, log.problems.at(-1) ?? `ffmpeg ended with ${exitCode}`);
  for (let index = 1; index < frames; index++) {
    if (!(log.timesS[index]! > log.timesS[index - 1]!)) {
      throw new FormatError(
        path,
        `frame ${index} must come after frame ${index - 1}, got ${log.timesS[index]} s after ${log.timesS[index - 1]} s. Re-encode the video.`,
      );
    }
  }
  requireDuration(path, log, options);
}

/** A container that promises more than came out was cut where no decoder could notice. */
function requireDuration(path: string, log: FfmpegLog, options: DecodeOptions): void {
  const info = log.info(path) as VideoInfo;
  const [first, last] = [log.timesS[0]!, log.timesS.at(-1)!];
  if (info.durationS === undefined || options.endS !== undefined || log.hasOtherStreams) return;
  const interval = (last - first) / Math.max(1, log.timesS.length - 1);
  const missingS = info.startS + info.durationS - (last + interval);
  if (missingS > Math.max(1, 3 * interval)) {
    throw damageError(path, log.timesS.length, `the last ${missingS.toFixed(1)} s of ${info.durationS} s are missing`);
  }
}

/**
 * Frames of a video in presentation order, each in its own buffer.
 *
 * Memory stays at a few frames: ffmpeg waits while the consumer is busy. Leaving the loop or aborting ends ffmpeg.
 *
 * @throws FormatError that names the file: missing, empty, not a video, no decoder, cut, damaged, times that go back.
 *   A damaged file may throw after its good frames
 */
export async function* decodeVideo(path: string, options: DecodeOptions = {}): AsyncGenerator<VideoFrame> {
  const { log, process } = await startDecoder(path, options);
  yield* readFrames(process, log, options.signal);
  await requireWhole(path, log, await process.exited, options);
}

/** Frames as they come out of a running ffmpeg, which is ended when the consumer has enough or aborts. */
export async function* readFrames(
  process: FfmpegProcess,
  log: FfmpegLog,
  signal: AbortSignal | undefined,
): AsyncGenerator<VideoFrame> {
  signal?.addEventListener("abort", process.kill, { once: true });
  // Without a listener, Node throws away what is unread when ffmpeg exits before the log was seen.
  process.child.stdout!.on("readable", () => undefined);
  try {
    await log.until(() => log.outputSize !== undefined);
    if (log.outputSize) {
      const { width, height } = log.outputSize;
      let index = 0;
      for await (const data of frameBuffers(process.child.stdout!, width * height * 3)) {
        await log.until(() => log.timesS.length > index);
        const timestampS = log.timesS[index++];
        if (timestampS === undefined) break;
        yield { data, height, width, timestampS };
      }
    }
    await process.exited;
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener("abort", process.kill);
    process.kill();
    await process.exited;
  }
}

/** Cuts a byte stream into frames; a rest that is no whole frame is dropped (the log tells why it ended). */
async function* frameBuffers(stream: NodeJS.ReadableStream, frameBytes: number): AsyncGenerator<Uint8Array> {
  let frame = new Uint8Array(frameBytes);
  let filled = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (let position = 0; position < chunk.length; ) {
      const taken = Math.min(frameBytes - filled, chunk.length - position);
      frame.set(chunk.subarray(position, position + taken), filled);
      filled += taken;
      position += taken;
      if (filled === frameBytes) {
        yield frame;
        frame = new Uint8Array(frameBytes);
        filled = 0;
      }
    }
  }
}

export type DecodedFile = { readonly timestampsS: Float64Array; readonly width: number; readonly height: number };

/**
 * Decodes into `file` as raw u8[T, H, W, 3], without a byte passing through this process.
 *
 * @throws as `decodeVideo`; `file` is then worthless and the caller removes it
 */
export async function decodeVideoToFile(path: string, file: string, options: DecodeOptions = {}): Promise<DecodedFile> {
  const { log, process } = await startDecoder(path, options, file);
  options.signal?.addEventListener("abort", process.kill, { once: true });
  const exitCode = await process.exited;
  options.signal?.removeEventListener("abort", process.kill);
  options.signal?.throwIfAborted();
  if (log.problems.some((line) => /no space left/i.test(line))) throw writeFailure(file, { code: "ENOSPC" });
  await requireWhole(path, log, exitCode, options);
  return { timestampsS: Float64Array.from(log.timesS), ...log.outputSize! };
}
