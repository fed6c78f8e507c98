import { rename, rm } from "node:fs/promises";
import type { Image } from "#core/contracts/image.ts";
import { ShapeError, UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { findFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import { FfmpegLog } from "./ffmpeg-log.ts";
import { setLastFrameDuration } from "./mp4-duration.ts";
import { matroskaFrameHeader, matroskaHeader } from "./raw-matroska.ts";

export type EncodeOptions = {
  /** Even numbers of pixels: yuv420p shares colour between two by two. */
  readonly width: number;
  readonly height: number;
  /** Frames a second where `write` is given no time. */
  readonly fps: number;
  /** A keyframe every so many frames, default 10: what a reader decodes at most to reach any frame. */
  readonly keyframeInterval?: number;
  /** x264's constant rate factor, default 20; lower is better and larger. */
  readonly crf?: number;
  readonly signal?: AbortSignal;
};

export type VideoWriter = {
  /**
   * Takes the next frame, u8[H, W, 3]; `data` is the caller's again when the promise resolves.
   *
   * @param timestampS seconds, increasing; left out: frame number / fps
   */
  write(data: Uint8Array, timestampS?: number): Promise<void>;
  /** Ends the file; only now is it there under its name. @returns number of frames */
  close(): Promise<number>;
  /** Gives up: nothing is left behind. Harmless after `close`. */
  abort(): Promise<void>;
};

/** Ticks a second in the mp4: every usual frame rate divides it. */
const timescale = 90_000;

function encoderArguments(options: EncodeOptions, passthrough: readonly string[], file: string): string[] {
  const { keyframeInterval = 10, crf = 20 } = options;
  // BT.601 is what untagged pictures are taken for; said aloud, every player agrees.
  const colour = ["-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m"];
  return [
    ...["-copyts", "-f", "matroska", "-i", "pipe:0", "-map", "0:v:0", ...passthrough],
    ...["-vf", "scale=flags=accurate_rnd+full_chroma_int:out_color_matrix=bt601:out_range=tv", "-pix_fmt", "yuv420p"],
    ...["-c:v", "libx264", "-preset", "veryfast", "-crf", `${crf}`, "-g", `${keyframeInterval}`, "-bf", "0"],
    ...[...colour, "-color_range", "tv", "-enc_time_base", `1:${timescale}`, "-video_track_timescale", `${timescale}`],
    ...["-movflags", "+faststart", "-f", "mp4", "-y", `file:${file}`],
  ];
}

/**
 * Opens an mp4 (h264, yuv420p, no B-frames) for writing. Frames go to ffmpeg as they come; the file gets its name when
 * it is whole.
 *
 * @throws ShapeError for odd sizes; UserError when the place cannot be written or ffmpeg cannot encode
 */
export async function createVideoWriter(path: string, options: EncodeOptions): Promise<VideoWriter> {
  const { width, height, fps, signal } = options;
  for (const [name, side] of [
    ["width", width],
    ["height", height],
  ] as const) {
    if (!Number.isInteger(side) || side < 2 || side % 2 !== 0) {
      throw new ShapeError(`${path}: ${name} must be an even number of pixels, got ${side}. Crop or scale the frames.`);
    }
  }
  signal?.throwIfAborted();
  const frameBytes = width * height * 3;
  const temporary = `${path}.${process.pid}.part`;
  const ffmpeg = await findFfmpeg();
  const log = new FfmpegLog();
  const encoder = startFfmpeg(
    ffmpeg,
    encoderArguments(options, ffmpeg.passthrough, temporary),
    { input: "pipe", output: "ignore" },
    log.push,
  );
  signal?.addEventListener("abort", encoder.kill, { once: true });
  const input = encoder.child.stdin!;
  // A broken pipe shows itself as an early exit, with ffmpeg's reason in the log.
  input.on("error", () => undefined);
  let frames = 0;
  let lastS = Number.NEGATIVE_INFINITY;
  let exited = false;
  void encoder.exited.then(() => {
    exited = true;
  });

  const failure = (): unknown => {
    if (signal?.aborted) return signal.reason;
    const words = log.problems.find((line) => /no space left|permission denied|no such file|read-only/i.test(line));
    if (words !== undefined) {
      const code = /space/i.test(words)
        ? "ENOSPC"
        : /denied/i.test(words)
          ? "EACCES"
          : /such/i.test(words)
            ? "ENOENT"
            : "EROFS";
      return writeFailure(path, { code });
    }
    return new UserError(`${path}: the video could not be encoded (${log.problems.at(-1) ?? "ffmpeg stopped"}).`);
  };
  /** Resolves when the bytes are handed over, so that the caller may use them again. */
  const send = async (bytes: Uint8Array): Promise<void> => {
    const handedOver = await new Promise<boolean>((resolve) => input.write(bytes, (error) => resolve(!error)));
    if (handedOver && !exited) return;
    await encoder.exited;
    throw failure();
  };
  const giveUp = async (): Promise<void> => {
    encoder.kill();
    await encoder.exited;
    signal?.removeEventListener("abort", encoder.kill);
    await rm(temporary, { force: true });
  };

  await send(matroskaHeader(width, height, fps)).catch(async (error) => {
    await giveUp();
    throw error;
  });
  return {
    async write(data, timestampS = frames / fps) {
      if (data.length !== frameBytes) {
        throw new ShapeError(`${path}: frame ${frames} must be u8[${height}, ${width}, 3], got ${data.length} bytes.`);
      }
      if (!(timestampS > lastS) || timestampS < 0) {
        throw new ShapeError(`${path}: frame ${frames} must come after ${lastS} s, got ${timestampS} s.`);
      }
      lastS = timestampS;
      frames++;
      await send(matroskaFrameHeader(timestampS, frameBytes));
      await send(data);
    },
    async close() {
      if (frames === 0) {
        await giveUp();
        throw new UserError(`${path}: a video must have at least one frame, got none.`);
      }
      input.end();
      const code = await encoder.exited;
      signal?.removeEventListener("abort", encoder.kill);
      if (code !== 0 || signal?.aborted) {
        await rm(temporary, { force: true });
        throw failure();
      }
      await setLastFrameDuration(temporary, 1 / fps);
      await rename(temporary, path);
      return frames;
    },
    abort: giveUp,
  };
}

/**
 * Encodes a sequence of equally large frames; frames with a `timestampS` keep it.
 *
 * @returns number of frames
 */
export async function encodeVideo(
  path: string,
  frames: AsyncIterable<Image & { readonly timestampS?: number }> | Iterable<Image & { readonly timestampS?: number }>,
  options: Omit<EncodeOptions, "width" | "height">,
): Promise<number> {
  let writer: VideoWriter | undefined;
  try {
    for await (const { data, width, height, timestampS } of frames) {
      writer ??= await createVideoWriter(path, { ...options, width, height });
      await writer.write(data, timestampS);
    }
    if (!writer) throw new UserError(`${path}: a video must have at least one frame, got none.`);
    return await writer.close();
  } catch (error) {
    await writer?.abort();
    throw error;
  }
}
