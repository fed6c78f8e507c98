/**
 * What the quantizer hands on: one row per frame pair.
 *
 * `codes` is i32[pairs, L] row-major, each in [0, codebookSize).
 */
export type LatentLabels = {
  readonly quantizerHash: string;
  readonly codebookSize: number;
  readonly codesPerStep: number;
  readonly offsetS: number;
  /** The data set (or video folder) that was labelled: its path and content hash. */
  readonly source: { readonly path: string; readonly hash: string };
  readonly episodes: Int32Array;
  /** Index of the pair's first and second frame inside its episode. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly codes: Int32Array;
};
