/**
 * @file Statistics as LeRobot stores them (lerobot/datasets/compute_stats.py): minimum, maximum, mean, population
 * standard deviation and, from version 3 on, quantiles; pictures per channel in [0, 1], over a sample of the frames and
 * of their pixels. Differs from LeRobot in one thing: quantiles are exact, theirs come from 5000-bin histograms and are
 * mere bounds once episodes are joined.
 */
import type { Feature } from "#core/contracts/episode.ts";
import { isScalar, valuesPerFrame } from "./columns.ts";

type Nested = number | boolean | readonly Nested[];
export type FeatureStatistics = {
  readonly min: Nested;
  readonly max: Nested;
  readonly mean: Nested;
  readonly std: Nested;
  readonly count: readonly [number];
  readonly q01?: Nested;
  readonly q10?: Nested;
  readonly q50?: Nested;
  readonly q90?: Nested;
  readonly q99?: Nested;
};

/** Quantiles by their LeRobot names. */
const quantiles = { q01: 0.01, q10: 0.1, q50: 0.5, q90: 0.9, q99: 0.99 } as const;
type QuantileName = keyof typeof quantiles;
const quantileNames = Object.keys(quantiles) as QuantileName[];

type Summary = { min: number; max: number; mean: number; std: number } & Record<QuantileName, number>;

function nest(values: readonly (number | boolean)[], shape: readonly number[]): Nested {
  const [, ...rest] = shape;
  if (rest.length === 0) return values;
  const stride = rest.reduce((product, side) => product * side, 1);
  return Array.from({ length: values.length / stride }, (_, index) =>
    nest(values.slice(index * stride, (index + 1) * stride), rest),
  );
}

/** Value below which `share` of the sorted values lie, interpolated between neighbours as numpy does. */
export function quantileOf(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (position - below);
}

/** Sorts its argument. */
function summarize(values: Float64Array): Summary {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  values.sort();
  const shares = quantileNames.map((name) => [name, quantileOf(values, quantiles[name])]);
  return {
    ...{ min: values[0]!, max: values.at(-1)!, mean, std: Math.sqrt(squares / values.length) },
    ...(Object.fromEntries(shares) as Record<QuantileName, number>),
  };
}

/** @param column [T, ...shape] flat, at least one frame */
export function columnStatistics(feature: Feature, column: ArrayLike<number | bigint>): Required<FeatureStatistics> {
  const width = valuesPerFrame(feature);
  const frames = column.length / width;
  const dimensions = Array.from({ length: width }, (_, dimension) =>
    summarize(Float64Array.from({ length: frames }, (_, frame) => Number(column[frame * width + dimension]))),
  );
  const shape = isScalar(feature) ? [1] : feature.shape;
  const read = (name: keyof Summary) => dimensions.map((summary) => summary[name]);
  const asStored = (values: number[]) => (feature.dtype === "bool" ? values.map((value) => value !== 0) : values);
  const shares = quantileNames.map((name) => [name, nest(read(name), shape)]);
  return {
    min: nest(asStored(read("min")), shape),
    max: nest(asStored(read("max")), shape),
    mean: nest(read("mean"), shape),
    std: nest(read("std"), shape),
    count: [frames],
    ...(Object.fromEntries(shares) as Record<QuantileName, Nested>),
  };
}

/** LeRobot looks at this many frames of an episode: all up to 100, then T ** 0.75, at most 10,000. */
export function sampledFrames(length: number): number[] {
  const count = Math.max(Math.min(100, length), Math.min(Math.floor(length ** 0.75), 10_000));
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, index) => roundHalfEven((index * (length - 1)) / (count - 1)));
}

/** numpy rounds halves to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Pictures of 300 pixels and more are looked at in steps that leave about 150. */
export function pixelStep(height: number, width: number): number {
  if (Math.max(height, width) < 300) return 1;
  return width > height ? Math.floor(width / 150) : Math.floor(height / 150);
}

/** How often each of 256 grey levels was seen, for three channels one after the other. */
export type Histogram = Float64Array;
const levels = 256;

/** The sampled pictures of one camera in one episode. */
export type SampledPictures = { readonly histogram: Histogram; readonly frames: number };

/**
 * Collects pictures as they come. What to sample is known only at the end, so each frame's histogram is kept: 1.5 KB a
 * frame until the episode ends.
 */
export class ImageStatistics {
  readonly #frames: (Uint16Array | Uint32Array)[] = [];

  /** @param data u8[height, width, 3] */
  add(data: Uint8Array, height: number, width: number): void {
    const step = pixelStep(height, width);
    const pixels = Math.ceil(height / step) * Math.ceil(width / step);
    const counts = pixels < 2 ** 16 ? new Uint16Array(3 * levels) : new Uint32Array(3 * levels);
    for (let row = 0; row < height; row += step) {
      for (let column = 0; column < width; column += step) {
        const pixel = (row * width + column) * 3;
        counts[data[pixel]!]!++;
        counts[levels + data[pixel + 1]!]!++;
        counts[2 * levels + data[pixel + 2]!]!++;
      }
    }
    this.#frames.push(counts);
  }

  /** The sampled frames together. */
  finish(): SampledPictures {
    const histogram = new Float64Array(3 * levels);
    const sampled = sampledFrames(this.#frames.length);
    for (const frame of sampled) {
      const counts = this.#frames[frame]!;
      for (let cell = 0; cell < histogram.length; cell++) histogram[cell]! += counts[cell]!;
    }
    return { histogram, frames: sampled.length };
  }
}

/** @param frames number of pictures behind the histogram */
export function histogramStatistics(histogram: Histogram, frames: number): Required<FeatureStatistics> {
  const channels = [0, 1, 2].map((channel) =>
    summarizeLevels(histogram.subarray(channel * levels, (channel + 1) * levels)),
  );
  const perChannel = (name: keyof Summary): Nested => channels.map((summary) => [[summary[name] / (levels - 1)]]);
  const shares = quantileNames.map((name) => [name, perChannel(name)]);
  return {
    ...{ min: perChannel("min"), max: perChannel("max"), mean: perChannel("mean"), std: perChannel("std") },
    count: [frames],
    ...(Object.fromEntries(shares) as Record<QuantileName, Nested>),
  };
}

function summarizeLevels(counts: Float64Array): Summary {
  const pixels = counts.reduce((sum, count) => sum + count, 0);
  const mean = counts.reduce((sum, count, level) => sum + count * level, 0) / pixels;
  const squares = counts.reduce((sum, count, level) => sum + count * (level - mean) ** 2, 0);
  /** Level of the pixel at a rank when all are sorted. */
  const levelAt = (rank: number): number => {
    let seen = 0;
    const level = counts.findIndex((count) => {
      seen += count;
      return seen > rank;
    });
    return level < 0 ? levels - 1 : level;
  };
  const quantile = (share: number): number => {
    const position = share * (pixels - 1);
    const below = Math.floor(position);
    return levelAt(below) + (levelAt(Math.min(below + 1, pixels - 1)) - levelAt(below)) * (position - below);
  };
  const shares = quantileNames.map((name) => [name, quantile(quantiles[name])]);
  return {
    ...{ min: levelAt(0), max: levelAt(pixels - 1), mean, std: Math.sqrt(squares / pixels) },
    ...(Object.fromEntries(shares) as Record<QuantileName, number>),
  };
}

/** The five numbers of version 2.1. */
export const withoutQuantiles = ({ min, max, mean, std, count }: FeatureStatistics): FeatureStatistics => ({
  ...{ min, max, mean, std, count },
});
