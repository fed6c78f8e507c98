import * as tf from "@tensorflow/tfjs";
import { flattenTree, linear, mapTree, stopGradient, straightThrough, type Tree } from "#engine/index.ts";
import { codesOfRows, foreignRows, quantizable } from "./code-space.ts";
import { applyColour } from "./colour.ts";
import type { QuantizerModelConfig } from "./config.ts";
import { type FeatureDecoder, featureError, predictFeatures, standardTokens } from "./feature-target.ts";
import {
  type CompactNetwork,
  decodeFrame,
  encodePairs,
  frameAt,
  frameTokens,
  type QuantizerParameters,
  type TargetEncoder,
  toModelRange,
} from "./model.ts";
import {
  type AnyCodebook,
  type Codebook,
  type FixedCodebook,
  lookUpCodes,
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
  /** i32[K], or i32[L * K] with one codebook per position: rows of the flattened latents that dead codes take over */
  readonly reseed: tf.Tensor1D;
  /** f32[B * L, codeWidth] standard normal, NSVQ alone */
  readonly noise?: tf.Tensor2D;
  /** f32[B, A] true action over the pair in normalised units, and f32[B] 1 where it is known; grounding alone */
  readonly action?: tf.Tensor2D;
  readonly known?: tf.Tensor1D;
  /** f32[B, 1] logarithm of the pair's time over `offsetS`, timed alone */
  readonly logTime?: tf.Tensor2D;
  /** f32[B, 2, N, F] of the frozen encoder, where stem or target is one */
  readonly features?: tf.Tensor4D;
};

/** State without gradients: the codebook and, where it is the target, the own encoder averaged over steps. */
export type QuantizerState<T> = AnyCodebook<T> & { readonly target?: TargetEncoder<T> };

/** `exp(H)` of the batch's codes, H their entropy in nats. @param use f32[K] counts */
function perplexityOf(use: tf.Tensor): tf.Tensor {
  // Counts of whole numbers would be divided to whole numbers.
  const counts = tf.cast(use, "float32");
  const shares = tf.div(counts, tf.sum(counts));
  return tf.exp(tf.neg(tf.sum(tf.mul(shares, tf.log(tf.maximum(shares, 1e-9))))));
}

/** f32[K, codeWidth]: what is quantised to; with NSVQ the trained codes, moved by re-seeding. */
const codeVectors = ({ codes }: QuantizerParameters<tf.Tensor>, codebook: AnyCodebook<tf.Tensor>): tf.Tensor2D =>
  "shift" in codebook ? tf.add(codes!, codebook.shift) : (codebook.vectors as tf.Tensor2D);

/**
 * `mean(w |x̂₂ - x₂|²)` over a pair, divided by the pair's own change where `relative`.
 *
 * All pictures are f32[B, H, W, 3] in [-1, 1].
 */
export function reconstructionLoss(
  config: QuantizerModelConfig,
  { first, second, drawn }: { first: tf.Tensor4D; second: tf.Tensor4D; drawn: tf.Tensor4D },
): { reconstruction: tf.Scalar; mse: tf.Tensor } {
  const error = tf.square(tf.sub(drawn, second)); // [B, H, W, 3]
  const change = tf.square(tf.sub(second, first));
  const perPair = (x: tf.Tensor) => tf.sum(x, [1, 2, 3]);
  const moved = tf.cast(tf.greater(tf.max(change, -1, true), 0.0036), "float32");
  const weight = tf.add(tf.mul(moved, config.motionWeight), 1);
  const scale = config.relative ? tf.add(perPair(tf.mul(change, weight)), 10) : tf.mul(perPair(weight), 3);
  // The published loss counts pixels in [0, 1]; its gradient limit belongs to that scale.
  const unit = config.architecture === "published" && !config.relative ? 0.25 : 1;
  const reconstruction = tf.mul(tf.mean(tf.div(perPair(tf.mul(error, weight)), scale)), unit) as tf.Scalar;
  return { reconstruction, mse: tf.mean(error) };
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
  codebook: QuantizerState<tf.Tensor>,
  config: QuantizerModelConfig,
  batch: QuantizerBatch,
): { loss: tf.Scalar; outputs: Record<string, tf.Tensor>; extra: QuantizerState<tf.Tensor> } {
  const { codeWidth, codesPerStep } = config;
  const frames = applyColour(toModelRange(batch.frames), batch.colour);
  const first = frameAt(frames, 0);
  const second = frameAt(frames, 1);

  const latents = encodePairs(params, config, frames, batch.features); // [B, L, d]
  const flat = quantizable(config, tf.reshape(latents, [-1, codeWidth]) as tf.Tensor2D); // [B * L, d]
  const fixed = stopGradient(flat);
  const vectors = codeVectors(params, codebook);
  const rows = nearestCode(fixed, stopGradient(vectors), foreignRows(config, flat.shape[0]));
  const quantized = lookUpCodes(rows, vectors);
  const passed = batch.noise ? noiseSubstitution(flat, quantized, batch.noise) : straightThrough(flat, quantized);
  const message = tf.reshape(passed, [-1, codesPerStep, codeWidth]) as tf.Tensor3D;
  // Beside a target of features the pixel decoder is a viewer: it learns, and tells the codes nothing.
  const shown = config.target === "pixels" ? message : stopGradient(message);
  const drawn = decodeFrame(params, config, first, shown, batch.logTime);

  const { reconstruction, mse } = reconstructionLoss(config, { first, second, drawn });
  const commitment = tf.mean(tf.square(tf.sub(flat, stopGradient(quantized))));
  // A fixed grid has nothing to be committed to.
  const isFixed = config.quantization === "fsq";
  let loss: tf.Tensor = isFixed ? reconstruction : tf.add(reconstruction, tf.mul(commitment, config.commitment));

  const use = tf.sum(tf.oneHot(codesOfRows(config, rows), config.codebookSize), 0); // [K]
  const outputs: Record<string, tf.Tensor> = {
    mse,
    commitment,
    use,
    perplexity: perplexityOf(use),
  };
  const target = { frames, features: batch.features, average: codebook.target };
  const missed = params.features && featureLoss(params.features, config, message, target);
  if (missed) {
    loss = tf.add(loss, missed);
    outputs.features = missed;
  }
  if (params.grounding && batch.action && batch.known) {
    const flatPairs = tf.reshape(passed, [-1, codesPerStep * codeWidth]);
    const miss = tf.mean(tf.square(tf.sub(linear(params.grounding, flatPairs), batch.action)), -1); // [B]
    const grounding = tf.div(tf.sum(tf.mul(miss, batch.known)), tf.maximum(tf.sum(batch.known), 1));
    loss = tf.add(loss, tf.mul(grounding, config.groundingWeight));
    outputs.grounding = grounding;
  }
  if (config.reversalWeight > 0) {
    const back = encodePairs(params, config, tf.reverse(frames, 1), batch.features && tf.reverse(batch.features, 1));
    const reversal = tf.mean(tf.square(tf.add(latents, back)));
    loss = tf.add(loss, tf.mul(reversal, config.reversalWeight));
    outputs.reversal = reversal;
  }
  const next = nextCodebook(params, codebook, config, { fixed, rows, batch });
  const average =
    codebook.target && nextTarget(codebook.target, params as CompactNetwork<tf.Tensor>, config.targetDecay);
  return { loss: loss as tf.Scalar, outputs, extra: average ? { ...next, target: average } : next };
}

/** Error of the second frame's tokens as predicted from the codes; the tokens themselves get no gradient. */
function featureLoss(
  params: FeatureDecoder<tf.Tensor>,
  config: QuantizerModelConfig,
  message: tf.Tensor3D,
  seen: {
    readonly frames: tf.Tensor5D;
    readonly features: tf.Tensor4D | undefined;
    readonly average: TargetEncoder<tf.Tensor> | undefined;
  },
): tf.Scalar {
  const tokensAt = (time: 0 | 1): tf.Tensor3D => {
    if (config.target === "own") return frameTokens(seen.average!, config, frameAt(seen.frames, time));
    return tf.squeeze(tf.slice(seen.features!, [0, time, 0, 0], [-1, 1, -1, -1]), [1]);
  };
  const [first, second] = [stopGradient(standardTokens(tokensAt(0))), stopGradient(standardTokens(tokensAt(1)))];
  return featureError(first, second, predictFeatures(params, config, first, message));
}

/** `a ← d a + (1 - d) w`: the target follows the encoder slowly, so that it cannot be chased into a constant. */
function nextTarget(
  average: TargetEncoder<tf.Tensor>,
  { encoder }: CompactNetwork<tf.Tensor>,
  decay: number,
): TargetEncoder<tf.Tensor> {
  const now = new Map(flattenTree({ stem: encoder.stem, spatial: encoder.spatial } as never as Tree<tf.Tensor>));
  const next = mapTree(average as never as Tree<tf.Tensor>, (old, path) =>
    tf.add(tf.mul(old, decay), tf.mul(stopGradient(now.get(path)!), 1 - decay)),
  );
  return next as never;
}

function nextCodebook(
  params: QuantizerParameters<tf.Tensor>,
  codebook: AnyCodebook<tf.Tensor>,
  config: QuantizerModelConfig,
  { fixed, rows, batch }: { fixed: tf.Tensor2D; rows: tf.Tensor1D; batch: QuantizerBatch },
): AnyCodebook<tf.Tensor> {
  if (config.quantization === "fsq") return { vectors: (codebook as FixedCodebook<tf.Tensor>).vectors };
  const options = { decay: config.codebookDecay, reseedBelow: config.reseedBelow };
  if ("shift" in codebook) {
    const trained = stopGradient(params.codes as tf.Tensor2D);
    return updateNoiseCodebook(codebook, trained, fixed, rows, batch.reseed, options);
  }
  return updateCodebook(codebook as Codebook<tf.Tensor>, fixed, rows, batch.reseed, options);
}
