/**
 * @file The one backbone (LAPA section 3.2). A decoder-only transformer reads
 *
 *   [ instruction words ][ image tokens ][ query tokens ]
 *
 * under a causal mask and gives one vector per query. The latent head, the action head and the pointing heads differ only
 * in their queries and in what they read off those vectors.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  embedding,
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
import { initKeypointStem, type KeypointStem, keypointStem, patchify } from "#lapa/quantizer/index.ts";
import type { BackboneConfig } from "./config.ts";

export type BackboneParameters<T = HostArray> = {
  readonly words: T; // f32[V, D]
  readonly wordPosition: T; // f32[T, D]
  /** Keypoints; a patch stem has no parameters of its own. */
  readonly stem?: KeypointStem<T>;
  readonly enter: Linear<T>;
  readonly imagePosition: T; // f32[N, D]
  readonly blocks: readonly TransformerBlock<T>[];
  readonly norm: LayerNorm<T>;
};

/** Tokens of one picture, N. */
export const imageTokenCount = ({ stem, keypoints, imageSize, patchSize }: BackboneConfig) =>
  stem === "keypoints" ? keypoints : (imageSize / patchSize) ** 2;

export function initBackbone(rng: Rng, config: BackboneConfig): BackboneParameters {
  const { width, heads } = config;
  const isKeypoints = config.stem === "keypoints";
  const inputs = isKeypoints ? 4 + config.stemChannels : config.patchSize ** 2 * 3;
  return {
    words: normalArray(rng.fork("words"), [config.vocabularySize, width], 0.3),
    wordPosition: normalArray(rng.fork("wordPosition"), [config.textLength, width], 0.1),
    ...(isKeypoints ? { stem: initKeypointStem(rng.fork("stem"), config) } : {}),
    enter: initLinear(rng.fork("enter"), { inputs, outputs: width }),
    imagePosition: normalArray(rng.fork("imagePosition"), [imageTokenCount(config), width], 0.3),
    blocks: Array.from({ length: config.depth }, (_, index) =>
      initTransformerBlock(rng.fork(`block${index}`), { width, heads }),
    ),
    norm: initLayerNorm(width),
  };
}

/** @param images f32[B, H, W, 3] in [-1, 1] @returns f32[B, N, D] */
function lookAt(params: BackboneParameters<tf.Tensor>, config: BackboneConfig, images: tf.Tensor4D): tf.Tensor3D {
  let tokens: tf.Tensor3D;
  if (params.stem) {
    const { points, features } = keypointStem(params.stem, images);
    tokens = tf.concat([tf.mul(points, 2), tf.square(points), features], 2) as tf.Tensor3D; // [B, P, 4 + C]
  } else {
    tokens = patchify(images, config.patchSize);
  }
  return tf.add(linear(params.enter, tokens), params.imagePosition) as tf.Tensor3D;
}

/**
 * Runs the backbone.
 *
 * @param images f32[B, H, W, 3] in [-1, 1]
 * @param words i32[B, T]
 * @param queries f32[B, Q, D]
 * @returns f32[B, Q, D], normalised
 */
export function backbone(
  params: BackboneParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor4D,
  words: tf.Tensor2D,
  queries: tf.Tensor3D,
): tf.Tensor3D {
  const text = tf.add(embedding({ weight: params.words }, words), params.wordPosition) as tf.Tensor3D; // [B, T, D]
  const image = lookAt(params, config, images); // [B, N, D]
  let x = tf.concat([text, image, queries], 1) as tf.Tensor3D; // [B, T + N + Q, D]
  for (const block of params.blocks) x = transformerBlock(block, x, { heads: config.heads, causal: true });
  const read = tf.slice(x, [0, config.textLength + image.shape[1], 0], [-1, -1, -1]);
  return layerNorm(params.norm, read) as tf.Tensor3D;
}
