/**
 * @file The network of an inverse dynamics model (VPT, Baker et al. 2022): the quantizer's own encoder and a linear head.
 * `evaluation/inverse-model.ts` bounds with it what codes could say; the VPT baseline guesses with it (lapa/finetune).
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import { type HostArray, initLinear, type Linear, linear } from "#engine/index.ts";
import type { QuantizerModelConfig } from "./config.ts";
import { type CompactNetwork, encodePairs, initQuantizer, type QuantizerParameters } from "./model.ts";

type Encoder<T> = Pick<CompactNetwork<T>, "encoder"> | Extract<QuantizerParameters<T>, { readonly published: unknown }>;

export type InverseNetwork<T = HostArray> = { readonly network: Encoder<T>; readonly head: Linear<T> };

/** Fresh weights; a compact quantizer's decoder is left out, as nothing is drawn. @param outputs A, of the head */
export function initInverseNetwork(
  rng: { readonly network: Rng; readonly head: Rng },
  model: QuantizerModelConfig,
  { outputs, std }: { readonly outputs: number; readonly std?: number },
): InverseNetwork {
  const drawn = initQuantizer(rng.network, { ...model, quantization: "ema", groundingDims: 0, target: "pixels" });
  return {
    network: "published" in drawn ? drawn : { encoder: drawn.encoder },
    head: initLinear(rng.head, {
      ...{ inputs: model.codesPerStep * model.codeWidth, outputs },
      ...(std === undefined ? {} : { std }),
    }),
  };
}

/**
 * Reads the action between two frames.
 *
 * @param frames f32[B, 2, H, W, 3] in [-1, 1]
 * @param features f32[B, 2, N, F] of a frozen encoder, where the stem is one
 * @returns f32[B, A], in the scale that was learned
 */
export function readAction(
  { network, head }: InverseNetwork<tf.Tensor>,
  model: QuantizerModelConfig,
  frames: tf.Tensor5D,
  features?: tf.Tensor4D,
): tf.Tensor2D {
  const latents = encodePairs(network as QuantizerParameters<tf.Tensor>, model, frames, features); // [B, L, d]
  return linear(head, tf.reshape(latents, [latents.shape[0], -1])) as tf.Tensor2D;
}
