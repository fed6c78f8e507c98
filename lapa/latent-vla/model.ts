import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import { crossEntropy, type HostArray, initLinear, type Linear, linear, normalArray } from "#engine/index.ts";
import { answerInOrder, type InOrderOptions, taughtTokens } from "./answer-in-order.ts";
import {
  answerAtOnce,
  type BackboneParameters,
  backbone,
  type Cache,
  initBackbone,
  promptTokens,
  readTokens,
} from "./backbone.ts";
import type { BackboneConfig } from "./config.ts";

/** The latent head: L query vectors, embeddings of codes already spoken, and one K-way classifier for all positions. */
export type LatentHead<T = HostArray> = { readonly queries: T; readonly codes: T; readonly classify: Linear<T> };

export type LatentVlaParameters<T = HostArray> = {
  readonly trunk: BackboneParameters<T>;
  readonly latent: LatentHead<T>;
};

export function initLatentHead(rng: Rng, { codesPerStep, codebookSize, width }: BackboneConfig): LatentHead {
  return {
    queries: normalArray(rng.fork("queries"), [codesPerStep, width], 0.3),
    codes: normalArray(rng.fork("codes"), [codebookSize, width], 0.3),
    classify: initLinear(rng.fork("classify"), { inputs: width, outputs: codebookSize }),
  };
}

export function initLatentVla(rng: Rng, config: BackboneConfig): LatentVlaParameters {
  return { trunk: initBackbone(rng.fork("trunk"), config), latent: initLatentHead(rng, config) };
}

/**
 * The vectors at the L query positions.
 *
 * @param images, words as `promptTokens`
 * @param codes i32[B, L] codes already known (autoregressive decoding: position i sees codes before i), or none
 * @returns f32[B, L, D]
 */
export function latentVectors(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
  codes?: tf.Tensor2D,
): tf.Tensor3D {
  return backbone(params.trunk, config, images, words, latentTokens(params.latent, config, images.shape[0]!, codes));
}

/** The tokens that ask for the codes, f32[B, L, D]. */
function latentTokens(
  { queries, codes: spoken }: LatentHead<tf.Tensor>,
  { latentDecoding }: BackboneConfig,
  batch: number,
  codes?: tf.Tensor2D,
): tf.Tensor3D {
  if (codes && latentDecoding === "autoregressive") return taughtTokens({ queries, spoken }, codes);
  return tf.tile(tf.expandDims(queries, 0), [batch, 1, 1]) as tf.Tensor3D;
}

/** f32[B, L, K] logits of the latent codes. */
export function latentLogits(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
  codes?: tf.Tensor2D,
): tf.Tensor3D {
  return linear(params.latent.classify, latentVectors(params, config, images, words, codes)) as tf.Tensor3D;
}

/** Mean cross-entropy over the L positions, and the share of positions guessed right. @param codes i32[B, L] */
export function latentLoss(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
  codes: tf.Tensor2D,
): { loss: tf.Scalar; accuracy: tf.Scalar } {
  const logits = latentLogits(params, config, images, words, codes);
  const flat = tf.reshape(logits, [-1, config.codebookSize]) as tf.Tensor2D;
  const labels = tf.reshape(codes, [-1]) as tf.Tensor1D;
  const right = tf.cast(tf.equal(tf.argMax(flat, 1), labels), "float32");
  return { loss: crossEntropy(flat, labels), accuracy: tf.mean(right) };
}

/**
 * The codes that the backbone would say after a prompt: all at once, or greedily one after another, as `latentDecoding` says.
 *
 * @param prompt f32[B, P, D]
 * @returns i32[B, L]
 */
export function sayLatentAfter(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  prompt: tf.Tensor3D,
  options: InOrderOptions = {},
): tf.Tensor2D {
  const { queries, codes: spoken, classify } = params.latent;
  if (config.latentDecoding === "autoregressive") {
    return answerInOrder(params.trunk, config, prompt, { queries, spoken, classify }, options).answers;
  }
  const vectors = answerAtOnce(params.trunk, config, prompt, latentTokens(params.latent, config, prompt.shape[0]));
  return tf.argMax(linear(classify, vectors), -1) as tf.Tensor2D;
}

/** The codes that the backbone would say. @returns i32[B, L] */
export const sayLatent = (
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
  options: InOrderOptions = {},
): tf.Tensor2D => sayLatentAfter(params, config, promptTokens(params.trunk, config, images, words), options);

/** Logits f32[B, L, K] of the codes after a prompt that was read already. @param codes i32[B, L] the true ones */
export function latentLogitsAfter(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  cache: Cache,
  codes: tf.Tensor2D,
): tf.Tensor3D {
  const tokens = latentTokens(params.latent, config, codes.shape[0], codes);
  return linear(params.latent.classify, readTokens(params.trunk, config, tokens, { cache }).vectors) as tf.Tensor3D;
}
