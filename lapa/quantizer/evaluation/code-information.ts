import { createRng } from "#core/rng.ts";
import { kMeans, nearestCentre } from "./k-means.ts";
import { type MutualInformation, mutualInformation } from "./mutual-information.ts";
import type { KnownMotion, Subject } from "./subject.ts";

/** Kinds of motion that the bits are counted over. */
const motionBins = 9;

export type CodeInformation = {
  readonly bins: number;
  /** Of each position with the kind of motion. */
  readonly positions: readonly MutualInformation[];
  /** Mean true motion (in standard deviations) under each code at each position, [L][K][A]; empty where it never stands. */
  readonly meanMotion: readonly (readonly (readonly number[])[])[];
};

/** What each position tells of the kind of motion: the motion's nearest of nine centres fitted on training pairs. */
export function codeInformation({ quantizer, codes }: Subject, { width, ...motion }: KnownMotion): CodeInformation {
  const { codesPerStep, codebookSize } = quantizer.config.model;
  const rng = createRng("code-information");
  const { centres } = kMeans(motion.train, { width, count: motionBins, rng: rng.fork("centres") });
  const kinds = nearestCentre(motion.heldOut, centres, width);
  const positions = Array.from({ length: codesPerStep }, (_, position) =>
    Int32Array.from(kinds, (_, pair) => codes.heldOut[pair * codesPerStep + position]!),
  );
  return {
    bins: motionBins,
    positions: positions.map((own, position) =>
      mutualInformation(own, kinds, { sizes: { x: codebookSize, y: motionBins }, rng: rng.fork(position) }),
    ),
    meanMotion: positions.map((own) =>
      Array.from({ length: codebookSize }, (_, code) => meanOf(motion.heldOut, width, own, code)),
    ),
  };
}

function meanOf(values: Float32Array, width: number, codes: Int32Array, code: number): number[] {
  const rows = [...codes.keys()].filter((row) => codes[row] === code);
  if (rows.length === 0) return [];
  return Array.from({ length: width }, (_, index) => {
    const total = rows.reduce((sum, row) => sum + values[row * width + index]!, 0);
    return total / rows.length;
  });
}
