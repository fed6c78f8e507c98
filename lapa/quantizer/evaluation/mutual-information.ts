/** @file How many bits of one discrete thing another one tells, without counting chance for knowledge. */
import type { Rng } from "#core/rng.ts";

type Counts = { readonly joint: Float64Array; readonly rows: Float64Array; readonly columns: Float64Array };

function countPairs(x: ArrayLike<number>, y: ArrayLike<number>, sizes: { x: number; y: number }): Counts {
  const joint = new Float64Array(sizes.x * sizes.y);
  const [rows, columns] = [new Float64Array(sizes.x), new Float64Array(sizes.y)];
  for (let index = 0; index < x.length; index++) {
    const [a, b] = [x[index]!, y[index]!];
    joint[a * sizes.y + b] = joint[a * sizes.y + b]! + 1;
    rows[a] = rows[a]! + 1;
    columns[b] = columns[b]! + 1;
  }
  return { joint, rows, columns };
}

/** Entropy in bits of counts, with the correction of Miller (1955): `H + (m - 1) / 2N` nats for m outcomes seen. */
export function entropyBits(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let [entropy, seen] = [0, 0];
  for (const count of counts) {
    if (count === 0) continue;
    entropy -= (count / total) * Math.log2(count / total);
    seen++;
  }
  return entropy + (seen - 1) / (2 * total * Math.LN2);
}

const informationBits = ({ joint, rows, columns }: Counts) =>
  entropyBits(rows) + entropyBits(columns) - entropyBits(joint);

export type MutualInformation = {
  /** `I(x; y) = H(x) + H(y) - H(x, y)`, each corrected for its bias, in bits. */
  readonly bits: number;
  /** Mean and largest of the same with y shuffled: what chance alone gives. */
  readonly chanceBits: number;
  readonly chanceMostBits: number;
  /** H(y) in bits. */
  readonly entropyBits: number;
};

/**
 * Mutual information of two discrete variables beside shuffled ones.
 *
 * @param x i[N] in [0, sizes.x)
 * @param y i[N] in [0, sizes.y)
 */
export function mutualInformation(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { sizes, rng, shuffles = 100 }: { sizes: { x: number; y: number }; rng: Rng; shuffles?: number },
): MutualInformation {
  const counts = countPairs(x, y, sizes);
  const mixed = Array.from({ length: y.length }, (_, index) => y[index]!);
  const chance = Array.from({ length: shuffles }, () => informationBits(countPairs(x, rng.shuffle(mixed), sizes)));
  return {
    bits: informationBits(counts),
    chanceBits: chance.reduce((sum, value) => sum + value, 0) / shuffles,
    chanceMostBits: Math.max(...chance),
    entropyBits: entropyBits(counts.columns),
  };
}
