/**
 * @file Is the code an action? Measured on clips that training did not see: usage of the codes, what a picture drawn from
 * HARD codes is worth beside the last frame, how much the right code matters, and a linear probe to what truly moved.
 */
import { createRng } from "#core/rng.ts";
import { applyLinearProbe, fitLinearProbe, rSquared } from "#core/statistics/linear-probe.ts";
import { type FramePairs, filterPairs } from "#datasets/frame-pairs.ts";
import type { Frames } from "./batches.ts";
import type { PairErrors, QuantizerRunner } from "./runner.ts";
import { perplexity } from "./usage.ts";

/** True motion of the pairs, f32[N, A]; for probes alone, never for training. */
export type Truth = (pairs: FramePairs) => { readonly values: Float32Array; readonly width: number };

export type QuantizerMetrics = {
  readonly pairs: number;
  readonly codebookSize: number;
  /** Codes that occur at least once over all positions, and the perplexity of their joint use. */
  readonly codesUsed: number;
  readonly perplexity: number;
  /** Largest share of one code at one position. */
  readonly largestShare: number;
  /** Peak signal-to-noise ratio in dB of the frame drawn from its hard code, and of the first frame left as it is. */
  readonly psnrHard: number;
  readonly psnrCopyLast: number;
  /** The same over pixels that change, and with a code of another pair: controllability (Genie, Bruce et al. 2024). */
  readonly psnrHardMoving: number;
  readonly psnrCopyLastMoving: number;
  readonly psnrRandomMoving: number;
  /** Share of the true motion's variance that a line reads off the codes, on clips left out; without truth `undefined`. */
  readonly probeR2?: number;
};

/** dB from a mean squared error over a range of 2 (pixels in [-1, 1]). */
const decibels = (squares: number, count: number) => 10 * Math.log10((4 * count) / squares);

const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

/** One-hot codes side by side, f64[N, L * K]. */
export function oneHotCodes(codes: Int32Array, codebookSize: number): Float64Array {
  const rows = new Float64Array(codes.length * codebookSize);
  for (const [index, code] of codes.entries()) rows[index * codebookSize + code] = 1;
  return rows;
}

function largestShare(codes: Int32Array, codesPerStep: number, codebookSize: number): number {
  const counts = new Float64Array(codesPerStep * codebookSize);
  for (const [index, code] of codes.entries()) {
    const place = (index % codesPerStep) * codebookSize + code;
    counts[place] = counts[place]! + 1;
  }
  return Math.max(...counts) / (codes.length / codesPerStep);
}

/** Every `keep`-th pair, so that a measurement takes seconds; the order is kept. */
export function thinPairs(pairs: FramePairs, most: number): FramePairs {
  const stride = Math.max(1, Math.ceil(pairs.length / most));
  return filterPairs(pairs, (pair) => pair % stride === 0);
}

export type EvaluateQuantizerOptions = {
  readonly frames: Frames;
  /** Pairs of clips that training saw, to fit the probe on, and of clips that it did not see. */
  readonly train: FramePairs;
  readonly heldOut: FramePairs;
  readonly truth?: Truth | undefined;
  readonly codebookSize: number;
  readonly codesPerStep: number;
  readonly imageSize: number;
  /** Pairs measured at most, of each. */
  readonly most?: number;
};

export async function evaluateQuantizer(
  runner: QuantizerRunner,
  options: EvaluateQuantizerOptions,
): Promise<QuantizerMetrics> {
  const { frames, truth, codebookSize, codesPerStep, imageSize, most = 3000 } = options;
  const pairs = thinPairs(options.heldOut, most);
  const rng = createRng("quantizer/random-codes");
  const random = Int32Array.from({ length: pairs.length * codesPerStep }, () => rng.integer(codebookSize));
  const { codes, errors } = await runner.measure(frames, pairs, random);
  const counts = new Float64Array(codebookSize);
  for (const code of codes) counts[code] = counts[code]! + 1;
  return {
    pairs: pairs.length,
    codebookSize,
    codesUsed: counts.filter((count) => count > 0).length,
    perplexity: perplexity(counts),
    largestShare: largestShare(codes, codesPerStep, codebookSize),
    ...signalToNoise(errors, pairs.length * imageSize * imageSize),
    ...(truth === undefined ? {} : { probeR2: await probe(runner, options, truth, { pairs, codes }) }),
  };
}

function signalToNoise(errors: PairErrors, pixels: number) {
  const moving = sum(errors.moving);
  return {
    psnrHard: decibels(sum(errors.hard), pixels),
    psnrCopyLast: decibels(sum(errors.copy), pixels),
    psnrHardMoving: decibels(sum(errors.hardMoving), moving),
    psnrCopyLastMoving: decibels(sum(errors.copyMoving), moving),
    psnrRandomMoving: decibels(sum(errors.randomMoving), moving),
  };
}

async function probe(
  runner: QuantizerRunner,
  { frames, train, codebookSize, most = 3000 }: EvaluateQuantizerOptions,
  truth: Truth,
  heldOut: { readonly pairs: FramePairs; readonly codes: Int32Array },
): Promise<number> {
  const fitted = thinPairs(train, most);
  const asRows = (codes: Int32Array) => oneHotCodes(codes, codebookSize);
  const { values, width } = truth(fitted);
  const line = fitLinearProbe(asRows(await runner.encode(frames, fitted)), values, { rows: fitted.length });
  const predicted = applyLinearProbe(line, asRows(heldOut.codes), heldOut.pairs.length);
  return rSquared(predicted, truth(heldOut.pairs).values, width);
}
