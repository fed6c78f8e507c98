/**
 * @file Real people's videos: are latent actions learned from them actions? The quantizer learns from clips without labels;
 * a line from its codes to how the wrist truly went (ArUco cubes, human-video-motion.py) is fitted on the same clips and
 * measured on others, beside what must not do as well: codes of other pairs, an untrained encoder, plain picture
 * differences, the mean.
 *
 * A fifth of the videos chooses among the candidates; the others are tested once each, in folds, every fold with weights of
 * its own. Cells are kept, so that the benchmark goes on where it was stopped.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRng } from "#core/rng.ts";
import { writeWhole } from "#core/write-whole.ts";
import { type FramePairs, filterPairs } from "#datasets/frame-pairs.ts";
import type { Executor } from "#engine/index.ts";
import { trainInverseModel } from "#lapa/quantizer/evaluation/inverse-model.ts";
import {
  createQuantizerRunner,
  evaluateQuantizer,
  oneHotCodes,
  openQuantizer,
  type QuantizerMetrics,
  type QuantizerTrainConfig,
  quantizerTrainConfig,
  splitPairs,
  thinPairs,
  trainQuantizer,
  type VideoData,
} from "#lapa/quantizer/index.ts";
import type { HumanVideoCandidate } from "./human-video-candidates.ts";
import { type PairedVideos, pairVideos } from "./human-video-frames.ts";
import { type ClipMotion, cameraShift, wristMove } from "./human-video-motion.ts";
import { type ClipSums, differenceFeatures, explained, type Moves, readOff, sumByClip } from "./human-video-probe.ts";

export const humanVideoArms = [
  "codes",
  "shuffled codes",
  "untrained encoder",
  "picture difference",
  "mean",
  "told the truth",
] as const;
export type HumanVideoArm = (typeof humanVideoArms)[number];

export const foldCount = 3;
const choosingShare = 0.2;
/** A camera that moves its picture's middle by more than this share of its height within a step is worn. */
const stillCamera = 0.01;

export type HumanVideoSettings = Omit<HumanVideoCandidate, "quantizer"> & { readonly quantizer: QuantizerTrainConfig };

/** A candidate with everything that it leaves to the quantizer's defaults; `steps` above 0 shortens it. */
export function settingsOf({ quantizer, ...rest }: HumanVideoCandidate, steps = 0): HumanVideoSettings {
  const parsed = quantizerTrainConfig.parse({ ...quantizer, data: { fit: rest.fit } });
  return { ...rest, quantizer: steps > 0 ? { ...parsed, steps } : parsed };
}

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
  /** Controls that must be trained are in tested cells alone. */
  readonly arms: Readonly<Partial<Record<HumanVideoArm, readonly ClipSums[]>>>;
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
  const { data, motions, quantizer, fit, cameras, compensated } = options;
  const { offsetS } = quantizer;
  const roles = rolesOf(data);
  const isSeen = data.frames.clips.map(({ timestampsS }, clip) => {
    const frames = Math.max(1, Math.round((offsetS * timestampsS.length) / (timestampsS.at(-1)! - timestampsS[0]!)));
    return cameras === "all" || cameraShift(motions[clip]!, frames) < stillCamera;
  });
  const paired = pairVideos(data, motions, {
    ...{ offsetS, compensated, fit, size: quantizer.model.imageSize },
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

type Fold = {
  readonly quantizer: QuantizerTrainConfig;
  readonly train: Moves;
  readonly moves: Moves;
  readonly names: readonly string[];
};

/** An encoder that learned nothing, and one that learned from the true moves of the clips for training (VPT). */
async function trainedControls(options: HumanVideoOptions, view: VideoData, { quantizer, train, moves, names }: Fold) {
  const { executor, signal } = options;
  // The encoder stays as it was drawn; its codebook is fitted to what it puts out.
  const asDrawn = { ...quantizer, learningRate: 1e-12, steps: Math.min(quantizer.steps, 60), allowCollapse: true };
  const drawn = await codesOf("untrained", asDrawn, view, options);
  const untrained = { train: await drawn.rows(train), test: await drawn.rows(moves) };
  await drawn.runner.dispose();
  const spread = Math.sqrt(train.values.reduce((sum, value) => sum + value ** 2 / train.values.length, 0));
  const told = await trainInverseModel({
    ...{
      config: quantizer,
      executor,
      frames: view.frames,
      pairs: train.pairs,
      width: 2,
      steps: quantizer.steps,
      signal,
    },
    actions: train.values.map((value) => value / spread),
  });
  const said = await told.predict(view.frames, moves.pairs);
  await told.dispose();
  return {
    "untrained encoder": sumByClip(readOff(untrained, train, moves, 1e-3), moves, names),
    "told the truth": sumByClip(
      said.map((value) => value * spread),
      moves,
      names,
    ),
  };
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

/** Trains one fold's quantizer, or the choosing one, and measures it; a cell that was measured is read. */
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
  const difference = {
    train: differenceFeatures(view.frames, train.pairs),
    test: differenceFeatures(view.frames, moves.pairs),
  };
  const nothing = { train: new Float64Array(train.pairs.length), test: new Float64Array(moves.pairs.length) };
  const names = options.data.frames.clips.map(({ name }) => name.split("/").at(-1)!);
  const arm = (features: typeof codes, ridge: number) =>
    sumByClip(readOff(features, train, moves, ridge), moves, names);
  const shuffled = {
    train: shuffledRows(codes.train, train.pairs.length),
    test: shuffledRows(codes.test, moves.pairs.length),
  };
  const cell: HumanVideoCell = {
    ...{ part: test === "choose" ? "choose" : "test", fold: test === "choose" ? -1 : test, seed },
    ...{ metrics, trainPairs: train.pairs.length, testPairs: moves.pairs.length },
    arms: {
      codes: arm(codes, 1e-3),
      "shuffled codes": arm(shuffled, 1e-3),
      "picture difference": arm(difference, 1e-3),
      mean: arm(nothing, 1),
      ...(test === "choose" ? {} : await trainedControls(within, view, { quantizer, train, moves, names })),
    },
  };
  writeWhole(join(folder, "cell.json"), JSON.stringify(cell));
  const scores = Object.entries(cell.arms).map(([name, clips]) => `${name} ${explained(clips).toFixed(3)}`);
  options.log(`${test === "choose" ? "clips for choosing" : `fold ${test}`}, seed ${seed}: R² ${scores.join(", ")}`);
  return cell;
}
