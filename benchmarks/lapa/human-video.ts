/**
 * @file Real people's videos: are latent actions learned from them actions? The quantizer learns from clips without labels;
 * a line from its codes to how the wrist truly went (ArUco cubes, human-video-motion.py) is fitted on the same clips and
 * measured on others, beside what must not do as well: codes of other pairs, an untrained encoder, plain picture
 * differences, the mean.
 *
 * A tenth of the clips and more is for choosing settings (`part: "choose"`); the others are tested once each, in folds, every
 * fold with weights of its own. Cells are kept, so that the benchmark goes on where it was stopped.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { createRng } from "#core/rng.ts";
import { writeWhole } from "#core/write-whole.ts";
import { type FramePairs, filterPairs } from "#datasets/frame-pairs.ts";
import type { Executor } from "#engine/index.ts";
import {
  createQuantizerRunner,
  evaluateQuantizer,
  oneHotCodes,
  openQuantizer,
  type QuantizerMetrics,
  type QuantizerTrainConfig,
  type quantizerTrainConfig,
  splitPairs,
  thinPairs,
  trainQuantizer,
  type VideoData,
} from "#lapa/quantizer/index.ts";
import { type PairedVideos, pairVideos } from "./human-video-frames.ts";
import { type ClipMotion, cameraShift, wristMove } from "./human-video-motion.ts";
import { type ClipSums, differenceFeatures, explained, type Moves, readOff, sumByClip } from "./human-video-probe.ts";

export const humanVideoArms = ["codes", "shuffled codes", "untrained encoder", "picture difference", "mean"] as const;
export type HumanVideoArm = (typeof humanVideoArms)[number];

export const foldCount = 3;
const choosingShare = 0.2;
/** A camera that moves its picture's middle by more than this share of its height within a step is worn. */
const stillCamera = 0.01;

export type HumanVideoSettings = {
  readonly quantizer: QuantizerTrainConfig;
  /** Which clips: those of cameras on a stand, or all. */
  readonly cameras: "still" | "all";
  /** Carry the second frame of a pair into the first one's view. */
  readonly compensated: boolean;
  /** The pictures are this much larger than what the quantizer sees of them: the window that follows the change. */
  readonly zoom: number;
};

export type HumanVideoOptions = HumanVideoSettings & {
  readonly data: VideoData;
  readonly motions: readonly ClipMotion[];
  readonly executor: Executor;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly command: string;
};

export type HumanVideoCell = {
  readonly part: "choose" | "test";
  readonly fold: number;
  readonly seed: number;
  readonly arms: Readonly<Record<HumanVideoArm, readonly ClipSums[]>>;
  readonly metrics: QuantizerMetrics;
  readonly trainPairs: number;
  readonly testPairs: number;
};

export type Role = "choose" | number;

/** What each clip is for: choosing, or the test of a fold. Clips of one video stay together; content decides. */
export function rolesOf(data: Pick<VideoData, "frames">): Role[] {
  const videos = [...new Set(data.frames.clips.map(({ hash }) => hash.split("@")[0]!))].sort();
  createRng("human-video").shuffle(videos);
  const choosing = Math.round(videos.length * choosingShare);
  return data.frames.clips.map(({ hash }) => {
    const place = videos.indexOf(hash.split("@")[0]!);
    return place < choosing ? "choose" : (place - choosing) % foldCount;
  });
}

/** True moves of the pairs that show a wrist in both frames. */
function movesOf(
  pairs: FramePairs,
  { real, middle }: PairedVideos,
  motions: readonly ClipMotion[],
  most: number,
): Moves {
  const thinned = thinPairs(pairs, most);
  const moves = Array.from({ length: thinned.length }, (_, pair) => pair).map((pair) => {
    const [clip, first] = [thinned.clip[pair]!, thinned.first[pair]!];
    return wristMove(motions[clip]!, real(clip, first), middle(clip, first));
  });
  return {
    pairs: filterPairs(thinned, (pair) => moves[pair] !== undefined),
    values: Float32Array.from(moves.flatMap((known) => known ?? [])),
  };
}

/** The clips of a setting, cut into pairs; training must not look at `test`. */
function prepare(options: HumanVideoOptions, test: Role) {
  const { data, motions, quantizer, cameras, compensated } = options;
  const { offsetS } = quantizer;
  const roles = rolesOf(data);
  const isSeen = data.frames.clips.map(({ timestampsS }, clip) => {
    const frames = Math.max(1, Math.round((offsetS * timestampsS.length) / (timestampsS.at(-1)! - timestampsS[0]!)));
    return cameras === "all" || cameraShift(motions[clip]!, frames) < stillCamera;
  });
  const paired = pairVideos(data, motions, {
    ...{ offsetS, compensated, fit: quantizer.data.fit, size: quantizer.model.imageSize },
  });
  // While settings are chosen, the first fold's clips stay out too, so that as many teach as in a test.
  const isLeftOut = (clip: number) =>
    roles[clip] === test || (test === "choose" && roles[clip] === 0) || !isSeen[clip]!;
  const view: VideoData = { ...paired.data, heldOut: roles.map((_, clip) => isLeftOut(clip)) };
  const split = splitPairs(view, quantizer);
  return {
    ...{ view, paired, train: split.train.pairs },
    test: filterPairs(split.heldOut, (pair) => {
      const clip = split.heldOut.clip[pair]!;
      return roles[clip] === test && isSeen[clip]!;
    }),
  };
}

/** Trains or opens one quantizer and gives its codes as rows of ones and zeros. */
async function codesOf(
  name: string,
  config: QuantizerTrainConfig,
  view: VideoData,
  { executor, command, signal, log, folder }: HumanVideoOptions,
) {
  await trainQuantizer(view, config, {
    ...{ executor, command, signal, folder: join(folder, name), resume: true },
    log: { info: log, warn: log },
  });
  signal.throwIfAborted();
  const quantizer = await openQuantizer(join(folder, name));
  const runner = createQuantizerRunner(quantizer, executor);
  const rows = async ({ pairs }: Moves) =>
    oneHotCodes(await runner.encode(view.frames, pairs, signal), config.model.codebookSize);
  return { runner, rows };
}

/** Rows of other pairs: the codes' share of use stays, their meaning goes. */
function shuffledRows(rows: Float64Array, count: number): Float64Array {
  const order = createRng("human-video/shuffled").shuffle(Array.from({ length: count }, (_, row) => row));
  const width = rows.length / count;
  const shuffled = new Float64Array(rows.length);
  for (const [row, from] of order.entries()) shuffled.set(rows.subarray(from * width, (from + 1) * width), row * width);
  return shuffled;
}

/** Where a cell is kept: other clips or settings are another measurement. */
function cellFolder(
  { data, cameras, compensated, zoom, ...options }: HumanVideoOptions,
  test: Role,
  seed: number,
): string {
  const key = JSON.stringify([data.hash, { ...options.quantizer, seed }, cameras, compensated, zoom, test]);
  return join(options.folder, createHash("sha256").update(key).digest("hex").slice(0, 12));
}

/** A cell that was measured. */
export function readHumanVideoCell(options: HumanVideoOptions, test: Role, seed: number): HumanVideoCell | undefined {
  const file = join(cellFolder(options, test, seed), "cell.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as HumanVideoCell) : undefined;
}

/** Trains and measures one fold, or the choosing clips; a cell that was measured is read. */
export async function measureHumanVideo(options: HumanVideoOptions, test: Role, seed: number): Promise<HumanVideoCell> {
  const known = readHumanVideoCell(options, test, seed);
  if (known !== undefined) return known;
  const quantizer = { ...options.quantizer, seed };
  const folder = cellFolder(options, test, seed);
  const { view, paired, ...pairs } = prepare(options, test);
  const train = movesOf(pairs.train, paired, options.motions, 6000);
  const moves = movesOf(pairs.test, paired, options.motions, 3000);
  const within = { ...options, folder };
  const trained = await codesOf("quantizer", quantizer, view, within);
  const metrics = await evaluateQuantizer(trained.runner, {
    ...{ frames: view.frames, train: pairs.train, heldOut: pairs.test, ...quantizer.model },
  });
  const codes = { train: await trained.rows(train), test: await trained.rows(moves) };
  await trained.runner.dispose();
  // The encoder stays as it was drawn; its codebook is fitted to what it puts out.
  const still = { ...quantizer, learningRate: 1e-12, steps: 150, allowCollapse: true };
  const drawn = await codesOf("untrained", still, view, within);
  const untrained = { train: await drawn.rows(train), test: await drawn.rows(moves) };
  await drawn.runner.dispose();
  const difference = {
    train: differenceFeatures(view.frames, train.pairs),
    test: differenceFeatures(view.frames, moves.pairs),
  };
  const nothing = { train: new Float64Array(train.pairs.length), test: new Float64Array(moves.pairs.length) };
  const names = options.data.frames.clips.map(({ name }) => name.split("/").at(-1)!);
  const arm = (features: typeof codes, ridge: number) =>
    sumByClip(readOff(features, train, moves, ridge), moves, names);
  const shuffled = { ...codes, test: shuffledRows(codes.test, moves.pairs.length) };
  const cell: HumanVideoCell = {
    ...{ part: test === "choose" ? "choose" : "test", fold: test === "choose" ? -1 : test, seed },
    ...{ metrics, trainPairs: train.pairs.length, testPairs: moves.pairs.length },
    arms: {
      codes: arm(codes, 1e-3),
      "shuffled codes": arm(shuffled, 1e-3),
      "untrained encoder": arm(untrained, 1e-3),
      "picture difference": arm(difference, 1e-3),
      mean: arm(nothing, 1),
    },
  };
  writeWhole(join(folder, "cell.json"), JSON.stringify(cell));
  const scores = humanVideoArms.map((name) => `${name} ${explained(cell.arms[name]).toFixed(2)}`);
  options.log(`${test === "choose" ? "choosing clips" : `fold ${test}`}, seed ${seed}: R² ${scores.join(", ")}`);
  return cell;
}

/** What did best on the clips for choosing, before any other clip was looked at. */
export const humanVideoBest = {
  fit: "stretch",
  cameras: "still",
  compensated: true,
  zoom: 1.5,
  quantizer: { offsetS: 0.4 },
} as const satisfies {
  fit: "crop" | "stretch";
  cameras: "still" | "all";
  compensated: boolean;
  zoom: number;
  quantizer: z.input<typeof quantizerTrainConfig>;
};
