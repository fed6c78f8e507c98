import * as tf from "@tensorflow/tfjs";
import type { QuantizerModelConfig } from "./config.ts";
import { decodeFrame, encodePairs, type QuantizerParameters, toModelRange } from "./model.ts";
import {
  type Codebook,
  lookUpCodes,
  nearestCode,
  noiseSubstitution,
  stopGradient,
  straightThrough,
  updateCodebook,
} from "./vector-quantize.ts";
import { linear } from "#engine/index.ts";

/** One training batch; every random number in it was drawn outside. */
export type QuantizerBatch = {
  /** f32[B, 2, H, W, 3] in [0, 255] */
  readonly frames: tf.Tensor5D;
  /** f32[B, 4]: per-sample gain and three channel offsets of the colour augmentation, the same for both frames */
  readonly colour: tf.Tensor2D;
  /** i32[K] rows of the flattened latents that dead codes take over */
  readonly reseed: tf.Tensor1D;
  /** f32[B * L, codeWidth] standard normal, NSVQ alone */
  readonly noise?: tf.Tensor2D;
  /** f32[B, A] true action over the pair in normalised units, and f32[B] 1 where it is known; grounding alone */
  readonly action?: tf.Tensor2D;
  readonly known?: tf.Tensor1D;
};

/** Applies one gain and three channel offsets per sample to both frames alike. */
function augmentColour(frames: tf.Tensor5D, colour: tf.Tensor2D): tf.Tensor5D {
  const batch = frames.shape[0];
  const gain = tf.reshape(tf.slice(colour, [0, 0], [-1, 1]), [batch, 1, 1, 1, 1]);
  const offset = tf.reshape(tf.slice(colour, [0, 1], [-1, 3]), [batch, 1, 1, 1, 3]);
  return tf.clipByValue(tf.add(tf.mul(frames, gain), offset), -1, 1);
}

/**
 * Reconstruction with weight on moving pixels, the commitment term and, on labelled pairs, the grounding term.
 *
 * `mean(w |x̂₂ - x₂|²) + β |z - sg(q)|² + g |W z - a|²` with `w = 1 + motionWeight · [|x₂ - x₁| > 0.06]`.
 *
 * @returns the scalar loss, the named parts, per-code use f32[K] and the next codebook
 */
export function quantizerLoss(
  params: QuantizerParameters<tf.Tensor>,
  codebook: Codebook<tf.Tensor>,
  config: QuantizerModelConfig,
  batch: QuantizerBatch,
): { loss: tf.Scalar; outputs: Record<string, tf.Tensor>; extra: Codebook<tf.Tensor> } {
  const { codeWidth, codesPerStep } = config;
  const frames = augmentColour(toModelRange(batch.frames), batch.colour);
  const at = (time: number) =>
    tf.squeeze(tf.slice(frames, [0, time, 0, 0, 0], [-1, 1, -1, -1, -1]), [1]) as tf.Tensor4D;
  const first = at(0);
  const second = at(1);

  const latents = encodePairs(params, config, frames); // [B, L, d]
  const flat = tf.reshape(latents, [-1, codeWidth]) as tf.Tensor2D; // [B * L, d]
  const fixed = stopGradient(flat);
  const vectors = codebook.vectors as tf.Tensor2D;
  const codes = nearestCode(fixed, vectors);
  const quantized = lookUpCodes(codes, vectors);
  const passed = batch.noise ? noiseSubstitution(flat, quantized, batch.noise) : straightThrough(flat, quantized);
  const drawn = decodeFrame(params, config, first, tf.reshape(passed, [-1, codesPerStep, codeWidth]) as tf.Tensor3D);

  const moved = tf.greater(tf.max(tf.abs(tf.sub(second, first)), -1, true), 0.06);
  const weight = tf.add(tf.mul(tf.cast(moved, "float32"), config.motionWeight), 1);
  const error = tf.square(tf.sub(drawn, second));
  const reconstruction = tf.div(tf.sum(tf.mul(error, weight)), tf.mul(tf.sum(weight), 3)) as tf.Scalar;
  const commitment = tf.mean(tf.square(tf.sub(flat, stopGradient(quantized))));
  let loss = tf.add(reconstruction, tf.mul(commitment, config.commitment));

  const outputs: Record<string, tf.Tensor> = {
    mse: tf.mean(error),
    commitment,
    use: tf.sum(tf.oneHot(codes, config.codebookSize), 0),
  };
  if (params.grounding && batch.action && batch.known) {
    const flatPairs = tf.reshape(passed, [-1, codesPerStep * codeWidth]);
    const miss = tf.mean(tf.square(tf.sub(linear(params.grounding, flatPairs), batch.action)), -1); // [B]
    const grounding = tf.div(tf.sum(tf.mul(miss, batch.known)), tf.maximum(tf.sum(batch.known), 1));
    loss = tf.add(loss, tf.mul(grounding, config.groundingWeight));
    outputs.grounding = grounding;
  }
  const extra = updateCodebook(codebook, fixed, codes, batch.reseed, {
    decay: config.codebookDecay,
    reseedBelow: config.reseedBelow,
  });
  return { loss: loss as tf.Scalar, outputs, extra };
}
