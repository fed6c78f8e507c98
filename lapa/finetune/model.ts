/**
 * @file The action head (LAPA section 3.3): the latent head is left behind and L x A new queries ask the backbone for the
 * next L actions, each as one of the bins of its dimension. All queries share one classifier, as the paper's seven
 * positions do; they are answered at once instead of one after another.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import { crossEntropy, type HostArray, initLinear, type Linear, linear, normalArray } from "#engine/index.ts";
import { type BackboneConfig, type BackboneParameters, backbone } from "#lapa/latent-vla/index.ts";

/** What the head must know of the actions: dimensions A, chunk length L and classes V of the shared classifier. */
export type ActionShape = { readonly dimensions: number; readonly chunkLength: number; readonly bins: number };

export type ActionHead<T = HostArray> = {
  /** f32[L * A, D] */
  readonly queries: T;
  readonly classify: Linear<T>;
};

export type ActionVlaParameters<T = HostArray> = {
  readonly trunk: BackboneParameters<T>;
  readonly action: ActionHead<T>;
};

export function initActionHead(rng: Rng, { width }: BackboneConfig, shape: ActionShape): ActionHead {
  return {
    queries: normalArray(rng.fork("queries"), [shape.chunkLength * shape.dimensions, width], 0.3),
    classify: initLinear(rng.fork("classify"), { inputs: width, outputs: shape.bins }),
  };
}

/**
 * Logits of the bins.
 *
 * @param images f32[B, H, W, 3] in [-1, 1]
 * @param words i32[B, T]
 * @returns f32[B, L * A, V]
 */
export function actionLogits(
  params: ActionVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor4D,
  words: tf.Tensor2D,
): tf.Tensor3D {
  const queries = tf.tile(tf.expandDims(params.action.queries, 0), [images.shape[0], 1, 1]) as tf.Tensor3D;
  return linear(params.action.classify, backbone(params.trunk, config, images, words, queries)) as tf.Tensor3D;
}

/**
 * Cross-entropy over the actions alone, and the share of bins guessed right.
 *
 * @param bins i32[B, L * A]
 * @param mask f32[B, L * A]: 0 past the episode's end
 */
export function actionLoss(
  params: ActionVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  batch: { images: tf.Tensor4D; words: tf.Tensor2D; bins: tf.Tensor2D; mask: tf.Tensor2D },
  smoothing: number,
): { loss: tf.Scalar; accuracy: tf.Scalar } {
  const logits = actionLogits(params, config, batch.images, batch.words);
  const flat = tf.reshape(logits, [-1, logits.shape[2]]) as tf.Tensor2D;
  const labels = tf.reshape(batch.bins, [-1]) as tf.Tensor1D;
  const mask = tf.reshape(batch.mask, [-1]) as tf.Tensor1D;
  const right = tf.mul(tf.cast(tf.equal(tf.argMax(flat, 1), labels), "float32"), mask);
  return {
    loss: crossEntropy(flat, labels, { mask, smoothing }),
    accuracy: tf.div(tf.sum(right), tf.maximum(tf.sum(mask), 1)),
  };
}

/**
 * Actions from logits.
 *
 * @param logits f32[B, L * A, V]
 * @param centres f32[A, V] value of each bin; bins that a dimension does not have are marked in `exists` f32[A, V]
 * @returns f32[B, L, A] in raw units
 */
export function readActions(
  logits: tf.Tensor3D,
  centres: tf.Tensor2D,
  exists: tf.Tensor2D,
  decoding: "mean" | "argmax",
): tf.Tensor3D {
  const [batch, positions, bins] = logits.shape;
  const dimensions = centres.shape[0];
  const perAction = tf.reshape(logits, [batch, positions / dimensions, dimensions, bins]); // [B, L, A, V]
  const allowed = tf.add(perAction, tf.mul(tf.sub(exists, 1), 1e9));
  const weights =
    decoding === "mean" ? tf.softmax(allowed) : tf.cast(tf.oneHot(tf.argMax(allowed, -1), bins), "float32");
  return tf.sum(tf.mul(weights, centres), -1) as tf.Tensor3D;
}
