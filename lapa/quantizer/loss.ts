import * as tf from "@tensorflow/tfjs";
import { linear, stopGradient, straightThrough } from "#engine/index.ts";
import { applyColour } from "./colour.ts";
import type { QuantizerModelConfig } from "./config.ts";
import { decodeFrame, encodePairs, frameAt, type QuantizerParameters, toModelRange } from "./model.ts";
import {
  type Codebook,
  lookUpCodes,
  type NoiseCodebook,
  nearestCode,
  noiseSubstitution,
  updateCodebook,
  updateNoiseCodebook,
} from "./vector-quantize.ts";

/** One training batch; every random number in it was drawn outside. */
export type QuantizerBatch = {
  /** f32[B, 2, H, W, 3] in [0, 255] */
  readonly frames: tf.Tensor5D;
  /** f32[B, 12]: colour map of each pair, the same for both frames */
  readonly colour: tf.Tensor2D;
  /** i32[K] rows of the flattened latents that dead codes take over */
  readonly reseed: tf.Tensor1D;
  /** f32[B * L, codeWidth] standard normal, NSVQ alone */
  readonly noise?: tf.Tensor2D;
  /** f32[B, A] true action over the pair in normalised units, and f32[B] 1 where it is known; grounding alone */
  readonly action?: tf.Tensor2D;
  readonly known?: tf.Tensor1D;
};

/** `exp(H)` of the batch's codes, H their entropy in nats. @param use f32[K] counts */
function perplexityOf(use: tf.Tensor): tf.Tensor {
  // Counts of whole numbers would be divided to whole numbers.
  const counts = tf.cast(use, "float32");
  const shares = tf.div(counts, tf.sum(counts));
  return tf.exp(tf.neg(tf.sum(tf.mul(shares, tf.log(tf.maximum(shares, 1e-9))))));
}

/** f32[K, codeWidth]: what is quantised to; with NSVQ the trained codes, moved by re-seeding. */
const codeVectors = (
  { codes }: QuantizerParameters<tf.Tensor>,
  codebook: Codebook<tf.Tensor> | NoiseCodebook<tf.Tensor>,
): tf.Tensor2D => ("shift" in codebook ? tf.add(codes!, codebook.shift) : (codebook.vectors as tf.Tensor2D));

/**
 * Reconstruction with weight on moving pixels, the commitment term and, on labelled pairs, the grounding term.
 *
 * `mean(w |x̂₂ - x₂|²) + β |z - sg(q)|² + g |W z - a|²` with `w = 1 + motionWeight · [|x₂ - x₁| > 0.06]`.
 *
 * @returns the scalar loss, the named parts, per-code use f32[K] and the next codebook
 */
export function quantizerLoss(
  params: QuantizerParameters<tf.Tensor>,
  codebook: Codebook<tf.Tensor> | NoiseCodebook<tf.Tensor>,
  config: QuantizerModelConfig,
  batch: QuantizerBatch,
): { loss: tf.Scalar; outputs: Record<string, tf.Tensor>; extra: Codebook<tf.Tensor> | NoiseCodebook<tf.Tensor> } {
  const { codeWidth, codesPerStep } = config;
  const frames = applyColour(toModelRange(batch.frames), batch.colour);
  const first = frameAt(frames, 0);
  const second = frameAt(frames, 1);

  const latents = encodePairs(params, config, frames); // [B, L, d]
  const flat = tf.reshape(latents, [-1, codeWidth]) as tf.Tensor2D; // [B * L, d]
  const fixed = stopGradient(flat);
  const vectors = codeVectors(params, codebook);
  const codes = nearestCode(fixed, stopGradient(vectors));
  const quantized = lookUpCodes(codes, vectors);
  const passed = batch.noise ? noiseSubstitution(flat, quantized, batch.noise) : straightThrough(flat, quantized);
  const drawn = decodeFrame(params, config, first, tf.reshape(passed, [-1, codesPerStep, codeWidth]) as tf.Tensor3D);

  const error = tf.square(tf.sub(drawn, second)); // [B, H, W, 3]
  const change = tf.square(tf.sub(second, first));
  const perPair = (x: tf.Tensor) => tf.sum(x, [1, 2, 3]);
  const moved = tf.cast(tf.greater(tf.max(change, -1, true), 0.0036), "float32");
  const weight = tf.add(tf.mul(moved, config.motionWeight), 1);
  const scale = config.relative ? tf.add(perPair(tf.mul(change, weight)), 10) : tf.mul(perPair(weight), 3);
  // The published loss counts pixels in [0, 1]; its gradient limit belongs to that scale.
  const unit = config.architecture === "published" && !config.relative ? 0.25 : 1;
  const reconstruction = tf.mul(tf.mean(tf.div(perPair(tf.mul(error, weight)), scale)), unit) as tf.Scalar;
  const commitment = tf.mean(tf.square(tf.sub(flat, stopGradient(quantized))));
  let loss = tf.add(reconstruction, tf.mul(commitment, config.commitment));

  const use = tf.sum(tf.oneHot(codes, config.codebookSize), 0); // [K]
  const outputs: Record<string, tf.Tensor> = { mse: tf.mean(error), commitment, use, perplexity: perplexityOf(use) };
  if (params.grounding && batch.action && batch.known) {
    const flatPairs = tf.reshape(passed, [-1, codesPerStep * codeWidth]);
    const miss = tf.mean(tf.square(tf.sub(linear(params.grounding, flatPairs), batch.action)), -1); // [B]
    const grounding = tf.div(tf.sum(tf.mul(miss, batch.known)), tf.maximum(tf.sum(batch.known), 1));
    loss = tf.add(loss, tf.mul(grounding, config.groundingWeight));
    outputs.grounding = grounding;
  }
  const options = { decay: config.codebookDecay, reseedBelow: config.reseedBelow };
  const extra =
    "shift" in codebook
      ? updateNoiseCodebook(codebook, stopGradient(params.codes as tf.Tensor2D), fixed, codes, batch.reseed, options)
      : updateCodebook(codebook, fixed, codes, batch.reseed, options);
  return { loss: loss as tf.Scalar, outputs, extra };
}
