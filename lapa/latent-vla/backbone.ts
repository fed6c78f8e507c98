/**
 * @file The one backbone (LAPA section 3.2: latent pretraining). A decoder-only transformer reads
 *
 *   [ instruction words ][ image tokens ][ query tokens ]
 *
 * under a causal mask and gives one vector per query. The latent head, the action head and the pointing heads differ only
 * in their queries and in what they read off those vectors.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  attention,
  embedding,
  type HostArray,
  initAttention,
  initLayerNorm,
  initLinear,
  initMlp,
  layerNorm,
  linear,
  mlp,
  normalArray,
  type Tree,
} from "#engine/index.ts";
import { initKeypointStem, type KeypointStem, keypointStem, patchify } from "#lapa/quantizer/index.ts";
import type { BackboneConfig } from "./config.ts";

type Block<T> = { norm1: Tree<T>; attention: Tree<T>; norm2: Tree<T>; mlp: Tree<T> };

export type BackboneParameters<T = HostArray> = {
  readonly words: T; // f32[V, D]
  readonly wordPosition: T; // f32[T, D]
  readonly stem: KeypointStem<T> | Record<string, never>;
  readonly enter: Tree<T>;
  readonly imagePosition: T; // f32[N, D]
  readonly blocks: readonly Block<T>[];
  readonly norm: Tree<T>;
};

const imageTokens = (config: BackboneConfig) =>
  config.stem === "keypoints" ? config.keypoints : (config.imageSize / config.patchSize) ** 2;

export function initBackbone(rng: Rng, config: BackboneConfig): BackboneParameters {
  const { width, heads } = config;
  const keypoints = config.stem === "keypoints";
  const inputs = keypoints ? 4 + config.stemChannels : config.patchSize * config.patchSize * 3;
  return {
    words: normalArray(rng.fork("words"), [config.vocabularySize, width], 0.3),
    wordPosition: normalArray(rng.fork("wordPosition"), [config.textLength, width], 0.1),
    stem: keypoints ? initKeypointStem(rng.fork("stem"), config) : {},
    enter: initLinear(rng.fork("enter"), { inputs, outputs: width }),
    imagePosition: normalArray(rng.fork("imagePosition"), [imageTokens(config), width], 0.3),
    blocks: Array.from({ length: config.depth }, (_, index) => ({
      norm1: initLayerNorm(width),
      attention: initAttention(rng.fork(`attention${index}`), { width, heads }),
      norm2: initLayerNorm(width),
      mlp: initMlp(rng.fork(`mlp${index}`), { width, hidden: 4 * width }),
    })),
    norm: initLayerNorm(width),
  };
}

/** @param images f32[B, H, W, 3] in [-1, 1] @returns f32[B, N, D] */
function lookAt(params: BackboneParameters<tf.Tensor>, config: BackboneConfig, images: tf.Tensor4D): tf.Tensor3D {
  let tokens: tf.Tensor3D;
  if ("entry" in params.stem) {
    const { points, features } = keypointStem(params.stem as KeypointStem<tf.Tensor>, images);
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
  for (const block of params.blocks) {
    const normed = layerNorm(block.norm1, x) as tf.Tensor3D;
    x = tf.add(x, attention(block.attention, normed, { heads: config.heads, causal: true }));
    x = tf.add(x, mlp(block.mlp, layerNorm(block.norm2, x)));
  }
  const read = tf.slice(x, [0, config.textLength + image.shape[1], 0], [-1, -1, -1]);
  return layerNorm(params.norm, read) as tf.Tensor3D;
}
