import type { Rng } from "#core/rng.ts";

export type Clusters = {
  /** f32[K, D] */
  readonly centres: Float32Array;
  /** i32[N] in [0, K) */
  readonly assigned: Int32Array;
};

const squaredDistance = (a: ArrayLike<number>, at: number, b: ArrayLike<number>, bt: number, width: number) => {
  let sum = 0;
  for (let index = 0; index < width; index++) sum += (a[at + index]! - b[bt + index]!) ** 2;
  return sum;
};

/** Index of the nearest of K centres for each row, the first of equals. @param rows f[N, D] @returns i32[N] */
export function nearestCentre(rows: ArrayLike<number>, centres: ArrayLike<number>, width: number): Int32Array {
  const count = centres.length / width;
  return Int32Array.from({ length: rows.length / width }, (_, row) => {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (let centre = 0; centre < count; centre++) {
      const distance = squaredDistance(rows, row * width, centres, centre * width, width);
      if (distance < least) [best, least] = [centre, distance];
    }
    return best;
  });
}

/** A place drawn in proportion to its weight. */
function drawByWeight(weights: Float64Array, sum: number, rng: Rng): number {
  let left = rng.next() * sum;
  for (const [place, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return place;
  }
  return rng.integer(weights.length);
}

/** First centres far from each other: each drawn in proportion to its squared distance to the nearest one before. */
function spreadCentres(rows: ArrayLike<number>, width: number, count: number, rng: Rng): Float32Array {
  const total = rows.length / width;
  const centres = new Float32Array(count * width);
  const nearest = new Float64Array(total).fill(Number.POSITIVE_INFINITY);
  let chosen = rng.integer(total);
  for (let centre = 0; centre < count; centre++) {
    for (let index = 0; index < width; index++) centres[centre * width + index] = rows[chosen * width + index]!;
    let sum = 0;
    for (let row = 0; row < total; row++) {
      const distance = squaredDistance(rows, row * width, centres, centre * width, width);
      nearest[row] = Math.min(nearest[row]!, distance);
      sum += nearest[row]!;
    }
    chosen = drawByWeight(nearest, sum, rng);
  }
  return centres;
}

/**
 * Lloyd's algorithm from spread starting points (k-means++, Arthur & Vassilvitskii 2007).
 *
 * @param rows f[N, D]
 */
export function kMeans(
  rows: ArrayLike<number>,
  { width, count, rng, rounds = 25 }: { width: number; count: number; rng: Rng; rounds?: number },
): Clusters {
  const centres = spreadCentres(rows, width, count, rng);
  let assigned = nearestCentre(rows, centres, width);
  for (let round = 0; round < rounds; round++) {
    const sums = new Float64Array(centres.length);
    const sizes = new Float64Array(count);
    for (const [row, centre] of assigned.entries()) {
      sizes[centre] = sizes[centre]! + 1;
      for (let index = 0; index < width; index++) {
        sums[centre * width + index] = sums[centre * width + index]! + rows[row * width + index]!;
      }
    }
    for (let at = 0; at < centres.length; at++) {
      const size = sizes[Math.floor(at / width)]!;
      if (size > 0) centres[at] = sums[at]! / size;
    }
    const next = nearestCentre(rows, centres, width);
    if (next.every((centre, row) => centre === assigned[row])) break;
    assigned = next;
  }
  return { centres, assigned };
}
