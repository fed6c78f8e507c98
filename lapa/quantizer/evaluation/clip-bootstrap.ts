import { createRng } from "#core/rng.ts";
import { quantile } from "#core/statistics/bootstrap.ts";
import type { Interval } from "#core/statistics/proportion.ts";

export type Estimate = Interval & { readonly value: number };

/**
 * A statistic of sums with its 95 % percentile bootstrap interval (Efron 1979). Whole clips are drawn with replacement: pairs
 * of one clip look alike, and an interval over pairs would be too narrow.
 *
 * @param columns f[N] each: one number per pair
 * @param statistic of the columns' sums, in their order
 */
export function clipBootstrap(
  clips: ArrayLike<number>,
  columns: readonly ArrayLike<number>[],
  statistic: (sums: readonly number[]) => number,
  draws = 1000,
): Estimate {
  const places = new Map<number, number>();
  for (let row = 0; row < clips.length; row++) if (!places.has(clips[row]!)) places.set(clips[row]!, places.size);
  const count = places.size;
  const sums = columns.map((column) => {
    const perClip = new Float64Array(count);
    for (let row = 0; row < clips.length; row++) {
      const place = places.get(clips[row]!)!;
      perClip[place] = perClip[place]! + column[row]!;
    }
    return perClip;
  });
  const rng = createRng("clip-bootstrap");
  const drawn = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    const totals = columns.map(() => 0);
    for (let pick = 0; pick < count; pick++) {
      const clip = rng.integer(count);
      for (const [index, perClip] of sums.entries()) totals[index] = totals[index]! + perClip[clip]!;
    }
    drawn[draw] = statistic(totals);
  }
  drawn.sort();
  const all = sums.map((perClip) => perClip.reduce((total, value) => total + value, 0));
  return { value: statistic(all), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}
