/** @file Probes from what was seen to how the wrist went, and what they explain, clip by clip, so that clips can be redrawn. */
import type { Rng } from "#core/rng.ts";
import { mean, quantile } from "#core/statistics/bootstrap.ts";
import { applyLinearProbe, fitLinearProbe } from "#core/statistics/linear-probe.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { Frames } from "#lapa/quantizer/index.ts";

/** N moves [x, y] of a wrist in picture heights, and the pair of frames of each. */
export type Moves = { readonly pairs: FramePairs; readonly values: Float32Array };

/** Sums over one clip's pairs, for x and y: number, truth, its square, and the squared error of the prediction. */
export type ClipSums = {
  readonly clip: string;
  readonly pairs: number;
  readonly sum: readonly [number, number];
  readonly squares: readonly [number, number];
  readonly errors: readonly [number, number];
};

const cells = 16;

/**
 * What a picture difference says without any learning: mean signed and absolute change of light in 16 x 16 cells.
 *
 * @returns f64[N, 512], about -1 to 1
 */
export function differenceFeatures(frames: Frames, pairs: FramePairs): Float64Array {
  const { size } = frames;
  const [first, second] = [new Uint8Array(size * size * 3), new Uint8Array(size * size * 3)];
  const features = new Float64Array(pairs.length * 2 * cells * cells);
  const perCell = (size / cells) ** 2 * 3 * 64;
  for (let pair = 0; pair < pairs.length; pair++) {
    frames.read(pairs.clip[pair]!, pairs.first[pair]!, first, 0);
    frames.read(pairs.clip[pair]!, pairs.second[pair]!, second, 0);
    for (let at = 0; at < first.length; at++) {
      const pixel = Math.floor(at / 3);
      const row = Math.floor((Math.floor(pixel / size) * cells) / size);
      const column = Math.floor(((pixel % size) * cells) / size);
      const change = (second[at]! - first[at]!) / perCell;
      const place = pair * 2 * cells * cells + row * cells + column;
      features[place] = features[place]! + change;
      features[place + cells * cells] = features[place + cells * cells]! + Math.abs(change);
    }
  }
  return features;
}

/** Fits a line on one set of pairs and applies it to another. @returns f64[N, 2] */
export function readOff(
  features: { readonly train: Float64Array; readonly test: Float64Array },
  train: Moves,
  test: Moves,
  ridge: number,
): Float64Array {
  const line = fitLinearProbe(features.train, train.values, { rows: train.pairs.length, ridge });
  return applyLinearProbe(line, features.test, test.pairs.length);
}

/** @param predicted f64[N, 2] */
export function sumByClip(
  predicted: ArrayLike<number>,
  { pairs, values }: Moves,
  names: readonly string[],
): ClipSums[] {
  const sums = new Map<
    number,
    { pairs: number; sum: [number, number]; squares: [number, number]; errors: [number, number] }
  >();
  for (let pair = 0; pair < pairs.length; pair++) {
    const clip = pairs.clip[pair]!;
    const into = sums.get(clip) ?? { pairs: 0, sum: [0, 0], squares: [0, 0], errors: [0, 0] };
    sums.set(clip, into);
    into.pairs++;
    for (const axis of [0, 1] as const) {
      const value = values[2 * pair + axis]!;
      into.sum[axis] += value;
      into.squares[axis] += value ** 2;
      into.errors[axis] += (value - predicted[2 * pair + axis]!) ** 2;
    }
  }
  return [...sums].map(([clip, of]) => ({ clip: names[clip]!, ...of }));
}

/** Share of the wrist's motion that is explained over the clips, mean of x and y: `1 - Σ(y - ŷ)² / Σ(y - ȳ)²`. */
export function explained(clips: readonly ClipSums[]): number {
  const total = (of: (clip: ClipSums) => number) => clips.reduce((sum, clip) => sum + of(clip), 0);
  const count = total(({ pairs }) => pairs);
  return mean(
    ([0, 1] as const).map((axis) => {
      const spread = total(({ squares }) => squares[axis]) - total(({ sum }) => sum[axis]) ** 2 / count;
      return 1 - total(({ errors }) => errors[axis]) / spread;
    }),
  );
}

export type Estimate = { readonly value: number; readonly low: number; readonly high: number };

/** Value of a statistic of clips with its 95 % percentile interval over clips drawn with replacement. */
export function overClips(count: number, of: (chosen: readonly number[]) => number, rng: Rng, draws = 2000): Estimate {
  const every = Array.from({ length: count }, (_, clip) => clip);
  const values = Float64Array.from({ length: draws }, () => of(every.map(() => rng.integer(count)))).sort();
  return { value: of(every), low: quantile(values, 0.025), high: quantile(values, 0.975) };
}
