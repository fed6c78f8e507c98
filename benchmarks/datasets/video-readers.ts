/** @file One measurement of one video reader: ours in this process, Python's in theirs. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { FrameCache } from "#datasets/frame-cache.ts";
import { forEachParallel } from "#datasets/parallel.ts";
import { decodeVideo } from "#datasets/video/decode.ts";

export const pythonReaders = ["pyav", "opencv", "decord", "torchcodec"] as const;
/** One file after the other; as many side by side as there are cores; random clips. */
export type Mode = "sequential" | "parallel" | "clips";
const lanes = Math.min(4, availableParallelism());
export const clipFrames = 16;

export type Measured = {
  readonly frames: number;
  readonly seconds: number;
  readonly version: string;
  /** Frame 30 of the first video, u8[size, size, 3]: that readers do the same work can be seen in it. */
  readonly picture: ArrayLike<number>;
};

/** What to read: clips are (video, first frame), of `clipFrames` each. */
export type Job = { readonly paths: readonly string[]; readonly clips: readonly (readonly [number, number])[] };

const script = fileURLToPath(new URL("video_competitors.py", import.meta.url));

async function runPython(python: string, args: readonly string[], job: Job): Promise<Measured | undefined> {
  const child = spawn(python, [script, ...args], { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify({ ...job, clipFrames }));
  const failed = new Promise<string>((resolve) => child.once("error", () => resolve("")));
  const out = await Promise.race([text(child.stdout), failed]);
  return out === "" ? undefined : (JSON.parse(out) as Measured);
}

/**
 * Side by side, every process reads its share of the files, and the slowest counts (imports do not).
 *
 * @returns `undefined` where Python or the package is not installed or cannot read one of the files
 */
export async function measurePython(
  python: string,
  reader: string,
  mode: Mode,
  size: number,
  job: Job,
): Promise<Measured | undefined> {
  const shares = mode === "parallel" ? lanes : 1;
  const measured = await Promise.all(
    Array.from({ length: shares }, (_, share) => {
      const paths = mode === "parallel" ? job.paths.filter((_path, index) => index % shares === share) : job.paths;
      return runPython(python, [reader, mode, String(size)], { ...job, paths });
    }),
  );
  const whole = measured.filter((one) => one !== undefined);
  if (whole.length < shares) return undefined;
  const frames = whole.reduce((sum, one) => sum + one.frames, 0);
  return { ...whole[0]!, frames, seconds: Math.max(...whole.map((one) => one.seconds)) };
}

/** Frame 30 as we decode it. */
export async function referencePicture(path: string, size: number): Promise<Uint8Array> {
  let index = 0;
  for await (const frame of decodeVideo(path, { size, fit: "stretch" })) if (index++ === 30) return frame.data;
  throw new Error(`${path}: must have more than 30 frames`);
}

/** Every frame of every file in this process, squeezed into a square as the others do it. */
export async function measureDecode({ paths }: Job, mode: "sequential" | "parallel", size: number) {
  const start = performance.now();
  let frames = 0;
  const options = { size, fit: "stretch" } as const;
  await forEachParallel(paths, mode === "parallel" ? lanes : 1, async (path) => {
    for await (const _ of decodeVideo(path, mode === "parallel" ? { ...options, threads: 1 } : options)) frames++;
  });
  return { frames, seconds: (performance.now() - start) / 1000 };
}

/** The same clips from the cache. */
export function measureClips(cache: FrameCache, clips: Job["clips"]) {
  const frameBytes = cache.size ** 2 * 3;
  const out = new Uint8Array(clipFrames * frameBytes);
  const start = performance.now();
  for (const [clip, first] of clips) {
    for (let frame = 0; frame < clipFrames; frame++) cache.read(clip, first + frame, out, frame * frameBytes);
  }
  return { frames: clips.length * clipFrames, seconds: (performance.now() - start) / 1000 };
}
