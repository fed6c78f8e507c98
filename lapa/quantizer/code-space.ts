/** @file Which codes a latent may take: one codebook for all positions, one per position, or a fixed grid. */
import * as tf from "@tensorflow/tfjs";
import type { QuantizerModelConfig } from "./config.ts";
import { boundScalars } from "./finite-scalars.ts";

type Space = Pick<QuantizerModelConfig, "quantization" | "fsqLevels" | "codebooks" | "codebookSize" | "codesPerStep">;

/** Rows of the codebook: K, or L K of which position l owns rows l K to l K + K - 1. */
export const codebookRows = ({ codebooks, codebookSize, codesPerStep }: Space): number =>
  codebooks === "per-position" ? codesPerStep * codebookSize : codebookSize;

/** Latents as they are quantised: bounded with FSQ, else as they are. @param flat f32[B * L, d] */
export const quantizable = ({ quantization, fsqLevels }: Space, flat: tf.Tensor2D): tf.Tensor2D =>
  quantization === "fsq" ? boundScalars(flat, fsqLevels) : flat;

/** i32[B * L]: what is added to a code to find its row; nothing with a shared codebook. */
function rowOffsets({ codesPerStep, codebookSize }: Space, count: number): tf.Tensor1D {
  const offsets = Int32Array.from({ length: count }, (_, index) => (index % codesPerStep) * codebookSize);
  return tf.tensor1d(offsets, "int32");
}

/** Rows of the codebook that codes i32[B * L] name. */
export const rowsOfCodes = (space: Space, codes: tf.Tensor1D): tf.Tensor1D =>
  space.codebooks === "per-position" ? tf.add(codes, rowOffsets(space, codes.shape[0])) : codes;

/** The inverse of `rowsOfCodes`. */
export const codesOfRows = (space: Space, rows: tf.Tensor1D): tf.Tensor1D =>
  space.codebooks === "per-position" ? tf.sub(rows, rowOffsets(space, rows.shape[0])) : rows;

/** f32[B * L, L * K]: a large distance to the rows of other positions; `undefined` with a shared codebook. */
export function foreignRows(space: Space, count: number): tf.Tensor2D | undefined {
  if (space.codebooks === "shared") return undefined;
  const { codesPerStep, codebookSize } = space;
  const width = codesPerStep * codebookSize;
  const far = Float32Array.from({ length: codesPerStep * width }, (_, at) =>
    Math.floor((at % width) / codebookSize) === Math.floor(at / width) ? 0 : 1e9,
  );
  return tf.tile(tf.tensor2d(far, [codesPerStep, width]), [count / codesPerStep, 1]);
}
