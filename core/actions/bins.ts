/**
 * @file Robot actions as tokens: equal-frequency bins per dimension, fitted on the fine-tuning set (LAPA section 3.3;
 * upstream data/finetune_preprocess.py, pandas.qcut with duplicates dropped). Differences: a bin is decoded to the mean of
 * the values it was fitted on, not to the middle of its edges, because the outermost bins are wide; a dimension that takes
 * few distinct values (a gripper) gets one bin for each.
 */
import { ConfigError } from "../errors.ts";

/** Bins of one dimension, ascending. `edges` has one entry more than `centres`; the outer edges are the extremes seen. */
export type ActionBins = { readonly edges: readonly number[]; readonly centres: readonly number[] };

/** Bins of all A dimensions. */
export type ActionTokenizer = { readonly dimensions: readonly ActionBins[] };

function fitDimension(ascending: Float64Array, maxBins: number): ActionBins {
  const distinct = [...new Set(ascending)];
  if (distinct.length <= maxBins) {
    const between = distinct.slice(1).map((value, index) => (value + distinct[index]!) / 2);
    return { edges: [distinct[0]!, ...between, distinct.at(-1)!], centres: distinct };
  }
  const cuts = Array.from({ length: maxBins + 1 }, (_, index) => {
    const place = (index / maxBins) * (ascending.length - 1);
    const below = Math.floor(place);
    const above = ascending[Math.min(below + 1, ascending.length - 1)]!;
    return ascending[below]! + (above - ascending[below]!) * (place - below);
  });
  const edges = [...new Set(cuts)];
  const sums = new Float64Array(edges.length - 1);
  const counts = new Float64Array(edges.length - 1);
  for (const value of ascending) {
    const bin = findBin(edges, value);
    sums[bin] = sums[bin]! + value;
    counts[bin] = counts[bin]! + 1;
  }
  const centres = Array.from(sums, (sum, bin) =>
    counts[bin] === 0 ? (edges[bin]! + edges[bin + 1]!) / 2 : sum / counts[bin]!,
  );
  return { edges, centres };
}

/** Index of the bin that holds `value`: (edge, next edge], the first one closed; outside values go to the outermost bins. */
export function findBin(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= edges[middle + 1]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Fits the bins.
 *
 * @param actions f32[N, A] row-major @param size A
 * @throws ConfigError when there is nothing to fit on or a value is not finite
 */
export function fitActionTokenizer(actions: ArrayLike<number>, size: number, maxBins: number): ActionTokenizer {
  const rows = actions.length / size;
  if (rows < 1) throw new ConfigError("actions: must hold at least one row, got none. Give labelled episodes.");
  const dimensions = Array.from({ length: size }, (_, dimension) => {
    const values = Float64Array.from({ length: rows }, (_, row) => actions[row * size + dimension]!);
    const broken = values.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) {
      throw new ConfigError(
        `actions: every value must be finite, got ${values[broken]} in row ${broken}, dimension ${dimension}. Check the data set.`,
      );
    }
    return fitDimension(values.sort(), maxBins);
  });
  return { dimensions };
}

/** Largest number of bins over the dimensions: the classes of one shared head. */
export const binCount = ({ dimensions }: ActionTokenizer): number =>
  Math.max(...dimensions.map(({ centres }) => centres.length));

/** i32[N, A] bin of every value of f32[N, A]. */
export function encodeActions({ dimensions }: ActionTokenizer, actions: ArrayLike<number>): Int32Array {
  return Int32Array.from({ length: actions.length }, (_, index) =>
    findBin(dimensions[index % dimensions.length]!.edges, actions[index]!),
  );
}

/** f32[N, A] centre of every bin of i32[N, A]; a bin past a dimension's last one is its last one. */
export function decodeActions({ dimensions }: ActionTokenizer, bins: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: bins.length }, (_, index) => {
    const { centres } = dimensions[index % dimensions.length]!;
    return centres[Math.min(Math.max(bins[index]!, 0), centres.length - 1)]!;
  });
}
