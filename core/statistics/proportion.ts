/** @file Shares of successes, and whether two arms differ on the same instances. */

/** 97.5 % point of the standard normal distribution: intervals below are 95 % intervals. */
const z = 1.959963984540054;

export type Interval = { readonly low: number; readonly high: number };
export type Proportion = Interval & { readonly successes: number; readonly count: number; readonly rate: number };

/**
 * Success rate with its 95 % Wilson score interval (Wilson 1927): right near 0 and 1, and for small counts.
 *
 * With no trial at all the rate is NaN and the interval [0, 1].
 */
export function wilson(successes: number, count: number): Proportion {
  if (count === 0) return { successes, count, rate: Number.NaN, low: 0, high: 1 };
  const rate = successes / count;
  const scale = 1 / (1 + (z * z) / count);
  const centre = scale * (rate + (z * z) / (2 * count));
  const half = scale * z * Math.sqrt((rate * (1 - rate)) / count + (z * z) / (4 * count * count));
  return { successes, count, rate, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

export type PairedTest = {
  /** Instances that only the first arm solved, and only the second. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Two-sided exact p-value. */
  readonly pValue: number;
};

/**
 * Exact McNemar test (McNemar 1947): instances that both arms solve or both fail say nothing; the rest are coin tosses
 * under "no difference".
 *
 * @param first outcomes of one arm @param second outcomes of the other on the same instances in the same order
 */
export function mcnemar(first: readonly boolean[], second: readonly boolean[]): PairedTest {
  if (first.length !== second.length) throw new Error(`mcnemar: ${first.length} against ${second.length} outcomes`);
  let onlyFirst = 0;
  let onlySecond = 0;
  for (const [index, outcome] of first.entries()) {
    if (outcome && !second[index]) onlyFirst += 1;
    if (!outcome && second[index]) onlySecond += 1;
  }
  const tosses = onlyFirst + onlySecond;
  // P(X <= smaller) for X ~ Binomial(tosses, 1/2), summed in logarithms.
  let logTerm = -tosses * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let heads = 1; heads <= Math.min(onlyFirst, onlySecond); heads++) {
    logTerm += Math.log((tosses - heads + 1) / heads);
    tail += Math.exp(logTerm);
  }
  return { onlyFirst, onlySecond, pValue: Math.min(1, 2 * tail) };
}
