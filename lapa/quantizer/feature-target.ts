/**
 * @file What codes must predict instead of pixels: tokens of the second frame, of a frozen encoder (LAPA on DINO features:
 * UniVLA, Bu et al. 2025) or of the own encoder averaged over steps (LAOM, Nikulin et al. 2025; BYOL, Grill et al. 2020).
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  type HostArray,
  initLayerNorm,
  initLinear,
  initTransformerBlock,
  type LayerNorm,
  type Linear,
  layerNorm,
  linear,
  normalArray,
  type TransformerBlock,
  transformerBlock,
} from "#engine/index.ts";
import type { QuantizerModelConfig } from "./config.ts";

export type FeatureDecoder<T = HostArray> = {
  readonly enter: Linear<T>;
  readonly position: T;
  readonly fromCodes: Linear<T>;
  /** f32[L, D] */
  readonly codePosition: T;
  readonly blocks: readonly TransformerBlock<T>[];
  readonly norm: LayerNorm<T>;
  readonly leave: Linear<T>;
};

/** Tokens of a frame in the space of the target, and how wide each is. */
export function targetShape({ target, imageEncoder, imageSize, patchSize, width }: QuantizerModelConfig) {
  return target === "encoder"
    ? { tokens: imageEncoder.tokens, features: imageEncoder.width }
    : { tokens: (imageSize / patchSize) ** 2, features: width };
}

export function initFeatureDecoder(rng: Rng, config: QuantizerModelConfig): FeatureDecoder {
  const { width, heads, codeWidth, codesPerStep, decoderDepth } = config;
  const { tokens, features } = targetShape(config);
  return {
    enter: initLinear(rng.fork("enter"), { inputs: features, outputs: width }),
    position: normalArray(rng.fork("position"), [tokens, width], 0.1),
    fromCodes: initLinear(rng.fork("fromCodes"), { inputs: codeWidth, outputs: width }),
    codePosition: normalArray(rng.fork("codePosition"), [codesPerStep, width], 0.1),
    blocks: Array.from({ length: decoderDepth }, (_, index) =>
      initTransformerBlock(rng.fork(`block${index}`), { width, heads, cross: true }),
    ),
    norm: initLayerNorm(width),
    leave: initLinear(rng.fork("leave"), { inputs: width, outputs: features, std: 0.002 }),
  };
}

/** Mean 0 and variance 1 over the numbers of each token: no encoder can make its target small. @param x f32[..., F] */
export function standardTokens<T extends tf.Tensor>(x: T): T {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-5))) as T;
}

/**
 * Predicts the second frame's tokens as the first's and a change.
 *
 * @param first f32[B, N, F]
 * @param codeVectors f32[B, L, codeWidth]
 * @returns f32[B, N, F]
 */
export function predictFeatures(
  params: FeatureDecoder<tf.Tensor>,
  config: QuantizerModelConfig,
  first: tf.Tensor3D,
  codeVectors: tf.Tensor3D,
): tf.Tensor3D {
  const context = tf.add(linear(params.fromCodes, codeVectors), params.codePosition) as tf.Tensor3D;
  let x = tf.add(linear(params.enter, first), params.position) as tf.Tensor3D; // [B, N, D]
  for (const block of params.blocks) x = transformerBlock(block, x, { heads: config.heads, context });
  return tf.add(first, linear(params.leave, layerNorm(params.norm, x))) as tf.Tensor3D;
}

/**
 * Error of predicted tokens over each pair's own change: 1 is what copying the first frame's tokens is worth.
 *
 * @param first, second, predicted f32[B, N, F]
 */
export function featureError(first: tf.Tensor3D, second: tf.Tensor3D, predicted: tf.Tensor3D): tf.Scalar {
  const perPair = (x: tf.Tensor) => tf.sum(tf.square(x), [1, 2]);
  // A pair in which nothing changes must not count without limit.
  const floor = 0.01 * second.shape[1]! * second.shape[2]!;
  const relative = tf.div(perPair(tf.sub(predicted, second)), tf.add(perPair(tf.sub(second, first)), floor));
  return tf.mean(relative) as tf.Scalar;
}
