import type { Rng } from "../rng.ts";
import type { Interval } from "./proportion.ts";

export type PairedDifference = Interval & { readonly difference: number };

/**
 * Mean of `first - second` over the same instances with its 95 % percentile bootstrap interval (Efron 1979): instances are
 * drawn with replacement, pairs stay together.
 */
export function pairedBootstrap(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  rng: Rng,
  draws = 2000,
): PairedDifference {
  const count = first.length;
  if (count === 0 || second.length !== count) throw new Error(`bootstrap: ${count} against ${second.length} values`);
  const differences = Float64Array.from({ length: count }, (_, index) => first[index]! - second[index]!);
  const means = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += differences[rng.integer(count)]!;
    means[draw] = sum / count;
  }
  means.sort();
  return { difference: mean(differences), low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum / values.length;
}

/** Sample standard deviation (divides by n - 1). */
export function standardDeviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index]! - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** Quantile of ascending values with linear interpolation (type 7 of Hyndman & Fan 1996, the default of NumPy and R). */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const place = share * (ascending.length - 1);
  const below = Math.floor(place);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (high - low) * (place - below);
}
