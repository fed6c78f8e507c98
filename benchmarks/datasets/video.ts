/** @file How fast videos become frames: ours against Python's readers, on the same files and cores, in turn. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createResult, type Result } from "#core/results.ts";
import { createRng } from "#core/rng.ts";
import { quantile } from "#core/statistics/bootstrap.ts";
import { type FrameCache, openFrameCache } from "#datasets/frame-cache.ts";
import { findFfmpeg } from "#datasets/video/ffmpeg.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";
import { createExecutor, type EngineKind } from "#engine/index.ts";
import { openVideoData, quantizerPresets, quantizerTrainConfig, trainQuantizer } from "#lapa/quantizer/index.ts";
import { undisturbed } from "./other-load.ts";
import {
  clipFrames,
  type Job,
  type Measured,
  type Mode,
  measureClips,
  measureDecode,
  measurePython,
  pythonReaders,
  referencePicture,
} from "./video-readers.ts";

export type VideoBenchmark = {
  /** Folder of videos, each of 80 frames at least. */
  readonly videos: string;
  /** At most so many of them, evenly spread over the folder. */
  readonly files: number;
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Clips that are read at random per round and size. */
  readonly clips: number;
  /** A Python with av, cv2, decord and torchcodec; what it lacks is not measured. */
  readonly python: string;
  readonly engine: EngineKind | "auto";
  /** Training steps over which the share of data time is taken. */
  readonly steps: number;
  readonly command: string;
  readonly log: (line: string) => void;
};

type Row = {
  readonly round: number;
  readonly reader: string;
  readonly mode: Mode | "cache build";
  readonly size: number;
  readonly frames: number;
  readonly seconds: number;
  readonly framesPerSecond: number;
  readonly version: string;
  /** Share of the machine that other processes took meanwhile; null where the system does not tell. */
  readonly otherLoad: number | null;
  /** Mean absolute difference of one picture to ours, in levels of 255. */
  readonly differsFromOurs: number;
};

function difference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += Math.abs(left[index]! - right[index]!);
  return sum / left.length;
}

const median = (values: readonly number[]) =>
  quantile(
    [...values].sort((left, right) => left - right),
    0.5,
  );

/** One round of one size: every reader in every mode, ours first in even rounds and last in odd ones. */
async function measureRound(round: number, size: number, job: Job, folder: string, options: VideoBenchmark) {
  const rows: Row[] = [];
  const picture = await referencePicture(job.paths[0]!, size);
  const { version } = await findFfmpeg();
  type Found = (Pick<Measured, "frames" | "seconds"> & Partial<Measured>) | undefined;
  const measure = async (reader: string, mode: Row["mode"], work: () => Promise<Found> | Found) => {
    const { value, otherLoad } = await undisturbed(async () => work());
    if (!value) return;
    const { frames, seconds } = value;
    const framesPerSecond = frames / seconds;
    rows.push({
      ...{ round, reader, mode, size, frames, seconds, framesPerSecond, otherLoad: otherLoad ?? null },
      version: value.version ?? version,
      differsFromOurs: difference(picture, value.picture ?? picture),
    });
    const load = otherLoad === undefined ? "" : ` (others took ${(100 * otherLoad).toFixed(0)} %)`;
    options.log(`round ${round}, ${size} pixels, ${mode}, ${reader}: ${framesPerSecond.toFixed(0)} frames/s${load}`);
  };
  const inTurn = async (mode: Mode, ours: () => Promise<Found> | Found) => {
    if (round % 2 === 0) await measure("armature", mode, ours);
    for (const reader of pythonReaders)
      await measure(reader, mode, () => measurePython(options.python, reader, mode, size, job));
    if (round % 2 === 1) await measure("armature", mode, ours);
  };
  for (const mode of ["sequential", "parallel"] as const) await inTurn(mode, () => measureDecode(job, mode, size));
  const sources = job.paths.map((path) => ({ name: path, path }));
  let cache: FrameCache | undefined;
  await measure("armature", "cache build", async () => {
    cache?.close();
    const directory = mkdtempSync(join(folder, "cache-"));
    const start = performance.now();
    cache = await openFrameCache(sources, { size, fit: "stretch", directory });
    const frames = cache.clips.reduce((sum, clip) => sum + clip.frames, 0);
    return { frames, seconds: (performance.now() - start) / 1000 };
  });
  await inTurn("clips", () => measureClips(cache!, job.clips));
  cache!.close();
  return rows;
}

/** Ours over the best of the others within each round and size, the worse size, median over the rounds. */
function ratio(rows: readonly Row[], mode: Row["mode"], against: Mode, { rounds, sizes }: VideoBenchmark): number {
  const perRound = Array.from({ length: rounds }, (_, round) => {
    const ofSizes = sizes.map((size) => {
      const here = rows.filter((row) => row.round === round && row.size === size);
      const ours = here.find((row) => row.reader === "armature" && row.mode === mode)!;
      const others = here.filter((row) => row.reader !== "armature" && row.mode === against);
      return ours.framesPerSecond / Math.max(...others.map((row) => row.framesPerSecond));
    });
    return Math.min(...ofSizes);
  });
  return median(perRound);
}

/** Share of a step in which the engine waits for frames, training the tiny quantizer from the cache of these videos. */
async function measureDataShare({ videos, engine, steps, command }: VideoBenchmark, folder: string): Promise<number> {
  const preset = quantizerTrainConfig.parse(quantizerPresets.tiny);
  const config = { ...preset, steps, grounding: false, allowCollapse: true };
  const settings = { ...config.data, videos: [videos], cache: join(folder, "share") };
  const data = await openVideoData(settings, { size: config.model.imageSize });
  const executor = await createExecutor({ kind: engine });
  const shares: number[] = [];
  try {
    await trainQuantizer(
      data,
      { ...config, data: settings },
      {
        ...{ folder: join(folder, "run"), command, executor },
        onProgress: ({ dataShare }) => void shares.push(dataShare),
      },
    );
  } finally {
    await executor.dispose();
    data.close();
  }
  return median(shares.slice(shares.length / 2));
}

/** @throws UserError when the folder holds no usable videos */
export async function benchmarkVideo(options: VideoBenchmark): Promise<Result> {
  const { videos, files, sizes, rounds, clips, log } = options;
  const folder = mkdtempSync(join(tmpdir(), "armature-video-"));
  try {
    const all = await listVideoFolder(videos);
    const step = Math.max(1, all.length / files);
    const paths = Array.from({ length: Math.min(files, all.length) }, (_, at) => all[Math.floor(at * step)]!.path);
    const rng = createRng(0);
    const job: Job = {
      paths,
      clips: Array.from({ length: clips }, () => [rng.integer(paths.length), rng.integer(80 - clipFrames)] as const),
    };
    const rows: Row[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const size of sizes) rows.push(...(await measureRound(round, size, job, folder, options)));
    }
    const dataTimeShare = await measureDataShare(options, folder);
    log(`share of data time: ${(100 * dataTimeShare).toFixed(2)} %`);
    return createResult({
      name: "video",
      claim:
        "Reading videos front to back, one file after the other and one file per core, is at least as fast as the best of PyAV, OpenCV, decord and torchcodec; random clips of 16 frames from the cache are faster than from their open files (ratios above 1, median over rounds of the worse size); training waits for frames less than 5 % of a step",
      command: options.command,
      seeds: [0],
      rows,
      summary: {
        sequentialVsBest: ratio(rows, "sequential", "sequential", options),
        parallelVsBest: ratio(rows, "parallel", "parallel", options),
        cacheBuildVsBest: ratio(rows, "cache build", "parallel", options),
        randomClipVsBest: ratio(rows, "clips", "clips", options),
        dataTimeShare,
        competitors: [...new Set(rows.map((row) => row.reader))].filter((reader) => reader !== "armature"),
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
