/** @file What human-video-motion.py measured beside each video, as truth about pairs of frames. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import { FormatError, UserError } from "#core/errors.ts";
import type { ClipSource } from "#datasets/clip-source.ts";
import type { CachedClip } from "#datasets/frame-cache.ts";
import { findPython } from "../engine/contestants.ts";

const places = z.array(z.tuple([z.number(), z.number()]).nullable());
const motionSchema = z.object({
  size: z.tuple([z.number(), z.number()]),
  timesS: z.array(z.number()),
  right: places,
  left: places,
  camera: z.array(z.array(z.number()).length(9)),
  spread: z.array(z.number()),
});

/** Per frame of a clip: where the wrists' cubes are, pixels of the video, and how the camera moved. */
export type ClipMotion = {
  readonly width: number;
  readonly height: number;
  readonly wrists: readonly (readonly (readonly [number, number] | null)[])[];
  /** Row-major 3 x 3: carries a background point of this frame to the frame before. */
  readonly camera: readonly (readonly number[])[];
};

const fileOf = (folder: string, path: string) => join(folder, `${basename(path, extname(path))}.json`);

/** Measures the videos that have no file in `folder` yet. @throws UserError when no Python has OpenCV with ArUco */
export async function measureMotion(
  sources: readonly ClipSource[],
  folder: string,
  options: { readonly python: string; readonly signal: AbortSignal; readonly log: (line: string) => void },
): Promise<void> {
  const missing = new Set(sources.map(({ path }) => path).filter((path) => !existsSync(fileOf(folder, path))));
  if (missing.size === 0) return;
  const python = findPython("cv2.aruco", options.python);
  if (python === undefined) {
    throw new UserError(
      "motion: needs a Python with OpenCV's ArUco detector, found none. pip install opencv-contrib-python-headless, and pass --python.",
    );
  }
  options.log(`motion: ${missing.size} videos are measured with ${python}, some seconds each`);
  const script = fileURLToPath(new URL("./human-video-motion.py", import.meta.url));
  await new Promise<void>((resolve, reject) => {
    const child = spawn(python, [script, folder, ...missing], {
      stdio: ["ignore", "ignore", "inherit"],
      signal: options.signal,
    });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new UserError(`motion: ${script} ended with ${code}.`)),
    );
  });
}

/** @throws FormatError when the file is missing, damaged or of another video */
export function readMotion(folder: string, clip: CachedClip): ClipMotion {
  const path = fileOf(folder, clip.path);
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new FormatError(path, "must be the measured motion of a video. Remove it and run again.", { cause });
  }
  const { size, timesS, right, left, camera } = parseConfig(motionSchema, raw, path);
  let at = 0;
  const frames = Array.from(clip.timestampsS, (timeS) => {
    while (at + 1 < timesS.length && Math.abs(timesS[at + 1]! - timeS) <= Math.abs(timesS[at]! - timeS)) at++;
    return at;
  });
  const lastS = timesS[frames.at(-1) ?? 0] ?? Number.NaN;
  if (!(Math.abs(lastS - (clip.timestampsS.at(-1) ?? 0)) < 0.1)) {
    throw new FormatError(path, `must reach as far as ${clip.path}, but ends at ${lastS} s. Remove it and run again.`);
  }
  return {
    ...{ width: size[0], height: size[1] },
    wrists: [right, left].map((seen) => frames.map((frame) => seen[frame]!)),
    camera: frames.map((frame) => camera[frame]!),
  };
}

/** `left · right` of row-major 3 x 3 matrices. */
function multiply(left: readonly number[], right: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, at) => {
    const [row, column] = [3 * Math.floor(at / 3), at % 3];
    return left[row]! * right[column]! + left[row + 1]! * right[column + 3]! + left[row + 2]! * right[column + 6]!;
  });
}

export const identity: readonly number[] = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Carries a background point of frame `second` to frame `first`, both in pixels of the video. */
export function cameraBetween({ camera }: ClipMotion, first: number, second: number): number[] {
  let whole = [...identity];
  for (let frame = first + 1; frame <= second; frame++) whole = multiply(whole, camera[frame]!);
  return whole;
}

/** Applies a homography to a point. */
export function carry(by: readonly number[], [x, y]: readonly [number, number]): [number, number] {
  const depth = by[6]! * x + by[7]! * y + by[8]!;
  return [(by[0]! * x + by[1]! * y + by[2]!) / depth, (by[3]! * x + by[4]! * y + by[5]!) / depth];
}

/**
 * How far a wrist went before the background, [x, y] in picture heights: of the wrists whose cubes are seen in both frames
 * the one that began nearest to a place; `undefined` where there is none.
 *
 * @param near pixels of the video
 */
export function wristMove(
  motion: ClipMotion,
  { first, second }: { readonly first: number; readonly second: number },
  near: readonly [number, number],
): [number, number] | undefined {
  let [nearest, move]: [number, [number, number] | undefined] = [Number.POSITIVE_INFINITY, undefined];
  const toFirst = cameraBetween(motion, first, second);
  for (const places of motion.wrists) {
    const [from, seen] = [places[first], places[second]];
    if (!from || !seen) continue;
    const to = carry(toFirst, seen);
    const distance = Math.hypot(from[0] - near[0], from[1] - near[1]);
    if (distance >= nearest) continue;
    [nearest, move] = [distance, [(to[0] - from[0]) / motion.height, (to[1] - from[1]) / motion.height]];
  }
  return move;
}

/** Median shift of the picture's middle over `frames` frames, picture heights: 0 on a stand. */
export function cameraShift(motion: ClipMotion, frames: number): number {
  const middle: [number, number] = [motion.width / 2, motion.height / 2];
  const shifts = motion.camera.slice(frames).map((_, first) => {
    const [x, y] = carry(cameraBetween(motion, first, first + frames), middle);
    return Math.hypot(x - middle[0], y - middle[1]) / motion.height;
  });
  return shifts.sort((a, b) => a - b)[shifts.length >> 1] ?? 0;
}
