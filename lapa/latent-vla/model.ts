import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  crossEntropy,
  embedding,
  type HostArray,
  initLinear,
  type Linear,
  linear,
  normalArray,
} from "#engine/index.ts";
import { type BackboneParameters, backbone, initBackbone } from "./backbone.ts";
import type { BackboneConfig } from "./config.ts";

/** The latent head: L query vectors, embeddings of codes already spoken, and one K-way classifier for all positions. */
export type LatentHead<T = HostArray> = { readonly queries: T; readonly codes: T; readonly classify: Linear<T> };

export type LatentVlaParameters<T = HostArray> = {
  readonly trunk: BackboneParameters<T>;
  readonly latent: LatentHead<T>;
};

export function initLatentVla(rng: Rng, config: BackboneConfig): LatentVlaParameters {
  return {
    trunk: initBackbone(rng.fork("trunk"), config),
    latent: {
      queries: normalArray(rng.fork("queries"), [config.codesPerStep, config.width], 0.3),
      codes: normalArray(rng.fork("codes"), [config.codebookSize, config.width], 0.3),
      classify: initLinear(rng.fork("classify"), { inputs: config.width, outputs: config.codebookSize }),
    },
  };
}

/**
 * The vectors at the L query positions.
 *
 * @param codes i32[B, L] codes already known (autoregressive decoding: position i sees codes before i), or none
 * @returns f32[B, L, D]
 */
export function latentVectors(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor4D,
  words: tf.Tensor2D,
  codes?: tf.Tensor2D,
): tf.Tensor3D {
  const batch = images.shape[0];
  const { queries } = params.latent;
  let asked = tf.tile(tf.expandDims(queries, 0), [batch, 1, 1]) as tf.Tensor3D; // [B, L, D]
  if (codes && config.latentDecoding === "autoregressive") {
    const spoken = embedding({ weight: params.latent.codes }, codes) as tf.Tensor3D; // [B, L, D]
    const before = tf.slice(spoken, [0, 0, 0], [-1, config.codesPerStep - 1, -1]);
    asked = tf.add(
      asked,
      tf.pad(before, [
        [0, 0],
        [1, 0],
        [0, 0],
      ]),
    ) as tf.Tensor3D;
  }
  return backbone(params.trunk, config, images, words, asked);
}

/** f32[B, L, K] logits of the latent codes. */
export function latentLogits(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor4D,
  words: tf.Tensor2D,
  codes?: tf.Tensor2D,
): tf.Tensor3D {
  return linear(params.latent.classify, latentVectors(params, config, images, words, codes)) as tf.Tensor3D;
}

/** Mean cross-entropy over the L positions, and the share of positions guessed right. @param codes i32[B, L] */
export function latentLoss(
  params: LatentVlaParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor4D,
  words: tf.Tensor2D,
  codes: tf.Tensor2D,
): { loss: tf.Scalar; accuracy: tf.Scalar } {
  const logits = latentLogits(params, config, images, words, codes);
  const flat = tf.reshape(logits, [-1, config.codebookSize]) as tf.Tensor2D;
  const labels = tf.reshape(codes, [-1]) as tf.Tensor1D;
  const right = tf.cast(tf.equal(tf.argMax(flat, 1), labels), "float32");
  return { loss: crossEntropy(flat, labels), accuracy: tf.mean(right) };
}
