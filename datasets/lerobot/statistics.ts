/**
 * @file Statistics of one episode as LeRobot v2.1 stores them (lerobot/datasets/compute_stats.py at v0.3.3): minimum,
 * maximum, mean and population standard deviation over time; pictures per channel in [0, 1], over a sample of the
 * frames and of their pixels.
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
};

function nest(values: readonly (number | boolean)[], shape: readonly number[]): Nested {
  const [, ...rest] = shape;
  if (rest.length === 0) return values;
  const stride = rest.reduce((product, side) => product * side, 1);
  return Array.from({ length: values.length / stride }, (_, index) =>
    nest(values.slice(index * stride, (index + 1) * stride), rest),
  );
}

/** @param column [T, ...shape] flat, at least one frame */
export function columnStatistics(feature: Feature, column: ArrayLike<number | bigint>): FeatureStatistics {
  const width = valuesPerFrame(feature);
  const frames = column.length / width;
  const [min, max, mean, std] = [0, 1, 2, 3].map(() => new Array<number>(width).fill(0)) as [
    number[],
    number[],
    number[],
    number[],
  ];
  for (let dimension = 0; dimension < width; dimension++) {
    let [low, high, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for (let frame = 0; frame < frames; frame++) {
      const value = Number(column[frame * width + dimension]);
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
    }
    const average = sum / frames;
    let squares = 0;
    for (let frame = 0; frame < frames; frame++) {
      squares += (Number(column[frame * width + dimension]) - average) ** 2;
    }
    [min[dimension], max[dimension], mean[dimension], std[dimension]] = [
      low,
      high,
      average,
      Math.sqrt(squares / frames),
    ];
  }
  const shape = isScalar(feature) ? [1] : feature.shape;
  const asStored = (values: number[]) => (feature.dtype === "bool" ? values.map((value) => value !== 0) : values);
  return {
    min: nest(asStored(min), shape),
    max: nest(asStored(max), shape),
    mean: nest(mean, shape),
    std: nest(std, shape),
    count: [frames],
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

/** Per channel: minimum, maximum, sum, sum of squares (grey levels), then the number of pixels. */
const cells = 13;

/** Collects pictures as they come; what to sample is known only at the end, so a few sums are kept for every frame. */
export class ImageStatistics {
  readonly #frames: Float64Array[] = [];

  /** @param data u8[height, width, 3] */
  add(data: Uint8Array, height: number, width: number): void {
    const step = pixelStep(height, width);
    const sums = new Float64Array(cells).fill(255, 0, 3);
    for (let row = 0; row < height; row += step) {
      for (let column = 0; column < width; column += step) {
        const pixel = (row * width + column) * 3;
        for (let channel = 0; channel < 3; channel++) {
          const value = data[pixel + channel]!;
          if (value < sums[channel]!) sums[channel] = value;
          if (value > sums[3 + channel]!) sums[3 + channel] = value;
          sums[6 + channel]! += value;
          sums[9 + channel]! += value * value;
        }
        sums[12]!++;
      }
    }
    this.#frames.push(sums);
  }

  finish(): FeatureStatistics {
    const indices = sampledFrames(this.#frames.length);
    const perChannel = (value: (channel: number) => number): Nested => [0, 1, 2].map((channel) => [[value(channel)]]);
    const sum = (cell: number) => indices.reduce((total, index) => total + this.#frames[index]![cell]!, 0);
    const pixels = sum(12);
    const mean = (channel: number) => sum(6 + channel) / pixels;
    const extreme = (pick: (...values: number[]) => number, cell: number) =>
      indices.reduce((best, index) => pick(best, this.#frames[index]![cell]!), this.#frames[indices[0]!]![cell]!);
    return {
      min: perChannel((channel) => extreme(Math.min, channel) / 255),
      max: perChannel((channel) => extreme(Math.max, 3 + channel) / 255),
      mean: perChannel((channel) => mean(channel) / 255),
      std: perChannel((channel) => Math.sqrt(Math.max(0, sum(9 + channel) / pixels - mean(channel) ** 2)) / 255),
      count: [indices.length],
    };
  }
}
