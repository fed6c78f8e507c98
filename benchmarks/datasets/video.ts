/** @file How fast videos become frames: ours against Python's readers, on the same files and cores. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createResult, type Result } from "#core/results.ts";
import { createRng } from "#core/rng.ts";
import type { ClipSource } from "#datasets/clip-source.ts";
import { type FrameCache, openFrameCache } from "#datasets/frame-cache.ts";
import { decodeVideo } from "#datasets/video/decode.ts";

const readers = ["pyav", "opencv", "decord"] as const;
type Mode = "sequential" | "clips";
const script = fileURLToPath(new URL("video_competitors.py", import.meta.url));
const clipFrames = 16;

type Measured = { readonly frames: number; readonly seconds: number };
const rate = ({ frames, seconds }: Measured) => frames / seconds;

/** `undefined` where Python or the package is not installed. */
function measureReader(reader: string, mode: Mode, size: number, paths: readonly string[]): Measured | undefined {
  try {
    const out = execFileSync("python3", [script, reader, mode, String(size), ...paths], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    return JSON.parse(out.toString()) as Measured;
  } catch {
    return undefined;
  }
}

async function measureSequential(paths: readonly string[], size: number): Promise<Measured> {
  const start = performance.now();
  let frames = 0;
  for (const path of paths) for await (const _ of decodeVideo(path, { size })) frames++;
  return { frames, seconds: (performance.now() - start) / 1000 };
}

/** Building the cache: every clip once, two at a time. */
async function measureCache(
  sources: readonly ClipSource[],
  size: number,
  directory: string,
): Promise<Measured & { cache: FrameCache }> {
  const start = performance.now();
  const cache = await openFrameCache(sources, { size, directory });
  const frames = cache.clips.reduce((sum, clip) => sum + clip.frames, 0);
  return { frames, seconds: (performance.now() - start) / 1000, cache };
}

function measureClips(cache: FrameCache, clips: number): Measured {
  const rng = createRng(0);
  const out = new Uint8Array(clipFrames * cache.size ** 2 * 3);
  const frameBytes = cache.size ** 2 * 3;
  const start = performance.now();
  for (let number = 0; number < clips; number++) {
    const clip = rng.integer(cache.clips.length);
    const first = rng.integer(cache.clips[clip]!.frames - clipFrames);
    for (let frame = 0; frame < clipFrames; frame++) cache.read(clip, first + frame, out, frame * frameBytes);
  }
  return { frames: clips * clipFrames, seconds: (performance.now() - start) / 1000 };
}

/**
 * Measures every reader `repeats` times in turn and takes the best of each, so that other load on the machine hits all.
 *
 * @param sources at least one video of 80 frames
 * @param directory where caches may be built; must not hold one yet
 */
export async function benchVideo(sources: readonly ClipSource[], directory: string, repeats = 3): Promise<Result> {
  const paths = sources.map(({ path }) => path);
  const rows: Record<string, unknown>[] = [];
  const best = new Map<string, number>();
  const note = (reader: string, mode: string, size: number, measured: Measured | undefined) => {
    if (!measured) return;
    rows.push({
      reader,
      mode,
      size,
      frames: measured.frames,
      seconds: measured.seconds,
      framesPerSecond: rate(measured),
    });
    const key = `${reader}/${mode}/${size}`;
    best.set(key, Math.max(best.get(key) ?? 0, rate(measured)));
  };
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const size of [64, 224]) {
      for (const reader of readers) note(reader, "sequential", size, measureReader(reader, "sequential", size, paths));
      note("ours", "sequential", size, await measureSequential(paths, size));
      const { cache, ...built } = await measureCache(sources, size, `${directory}/${repeat}-${size}`);
      note("ours", "cache build", size, built);
      note("ours", "clips", size, measureClips(cache, 2000));
      cache.close();
      for (const reader of readers) note(reader, "clips", size, measureReader(reader, "clips", size, paths));
    }
  }
  const ratio = (mode: Mode, ours: string, size: number) => {
    const others = readers.map((reader) => best.get(`${reader}/${mode}/${size}`) ?? 0);
    return (best.get(`ours/${ours}/${size}`) ?? 0) / Math.max(...others);
  };
  return createResult({
    name: "video",
    claim:
      "Reading videos front to back is at least as fast as the best of PyAV, OpenCV and decord, and random clips of 16 frames from the cache are faster (ratios above 1)",
    command: "npx armature bench video",
    seeds: [0],
    rows,
    summary: {
      sequentialVsBest: Math.min(...[64, 224].map((size) => ratio("sequential", "sequential", size))),
      cacheBuildVsBest: Math.min(...[64, 224].map((size) => ratio("sequential", "cache build", size))),
      randomClipVsBest: Math.min(...[64, 224].map((size) => ratio("clips", "clips", size))),
    },
  });
}
