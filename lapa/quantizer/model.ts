/**
 * @file The latent action quantizer (LAPA, Ye et al. 2024, section 3.1): two frames in, L codes out, and a decoder that
 * must draw the second frame from the first frame and the codes alone.
 *
 *   frames -> stem -> (spatial blocks per frame) -> temporal blocks -> difference -> codes -> decoder(first frame, codes)
 *
 * Deviations from the paper are listed in README.md; the largest is the keypoint stem of the small presets, whose only
 * message is how far each of P points moved.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  attention,
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
import type { QuantizerModelConfig } from "./config.ts";
import { initKeypointStem, type KeypointStem, keypointStem } from "./keypoint-stem.ts";
import { patchify, unpatchify } from "./patches.ts";
import { lookUpCodes, nearestCode } from "./vector-quantize.ts";

type Block<T> = { norm1: Tree<T>; attention: Tree<T>; norm2: Tree<T>; mlp: Tree<T> };
type DecoderBlock<T> = Block<T> & { norm3: Tree<T>; cross: Tree<T> };

export type QuantizerParameters<T = HostArray> = {
  readonly encoder: {
    readonly stem: KeypointStem<T> | { readonly embed: Tree<T>; readonly position: T };
    readonly enter: Tree<T>;
    readonly identity: T;
    readonly spatial: readonly Block<T>[];
    readonly temporal: readonly Block<T>[];
    readonly norm: Tree<T>;
    readonly toCodes: Tree<T>;
  };
  readonly decoder: {
    readonly embed: Tree<T>;
    readonly position: T;
    readonly fromCodes: Tree<T>;
    readonly codePosition: T;
    readonly blocks: readonly DecoderBlock<T>[];
    readonly norm: Tree<T>;
    readonly toPixels: Tree<T>;
  };
  readonly grounding?: Tree<T>;
};

const initBlock = (rng: Rng, width: number, heads: number): Block<HostArray> => ({
  norm1: initLayerNorm(width),
  attention: initAttention(rng, { width, heads }),
  norm2: initLayerNorm(width),
  mlp: initMlp(rng, { width, hidden: 4 * width }),
});

/** Pre-norm transformer block. @param x f32[B, N, D] */
function block(params: Block<tf.Tensor>, x: tf.Tensor3D, heads: number): tf.Tensor3D {
  const attended = tf.add(x, attention(params.attention, layerNorm(params.norm1, x) as tf.Tensor3D, { heads }));
  return tf.add(attended, mlp(params.mlp, layerNorm(params.norm2, attended)));
}

const tokensPerFrame = (config: QuantizerModelConfig) =>
  config.stem === "keypoints" ? config.keypoints : (config.imageSize / config.patchSize) ** 2;

export function initQuantizer(rng: Rng, config: QuantizerModelConfig): QuantizerParameters {
  const { width, heads, patchSize, codeWidth, codesPerStep } = config;
  const patchPixels = patchSize * patchSize * 3;
  const patches = (config.imageSize / patchSize) ** 2;
  const tokens = tokensPerFrame(config);
  const blocks = (depth: number, name: string) =>
    Array.from({ length: depth }, (_, index) => initBlock(rng.fork(`${name}${index}`), width, heads));
  return {
    encoder: {
      stem:
        config.stem === "keypoints"
          ? initKeypointStem(rng.fork("stem"), config)
          : {
              embed: initLinear(rng.fork("embed"), { inputs: patchPixels, outputs: width }),
              position: normalArray(rng.fork("position"), [patches, width], 0.02),
            },
      enter: initLinear(rng.fork("enter"), { inputs: config.stem === "keypoints" ? 2 : width, outputs: width }),
      identity: normalArray(rng.fork("identity"), [tokens, width], config.stem === "keypoints" ? 0.3 : 0.02),
      spatial: blocks(config.stem === "keypoints" ? 0 : config.spatialDepth, "spatial"),
      temporal: blocks(config.temporalDepth, "temporal"),
      norm: initLayerNorm(width),
      toCodes: initLinear(rng.fork("toCodes"), { inputs: tokens * width, outputs: codesPerStep * codeWidth }),
    },
    decoder: {
      embed: initLinear(rng.fork("decoderEmbed"), { inputs: patchPixels, outputs: width }),
      position: normalArray(rng.fork("decoderPosition"), [patches, width], 0.1),
      fromCodes: initLinear(rng.fork("fromCodes"), { inputs: codeWidth, outputs: width }),
      codePosition: normalArray(rng.fork("codePosition"), [codesPerStep, width], 0.1),
      blocks: Array.from({ length: config.decoderDepth }, (_, index) => ({
        ...initBlock(rng.fork(`decoder${index}`), width, heads),
        norm3: initLayerNorm(width),
        cross: initAttention(rng.fork(`cross${index}`), { width, heads }),
      })),
      norm: initLayerNorm(width),
      toPixels: initLinear(rng.fork("toPixels"), { inputs: width, outputs: patchPixels, std: 0.002 }),
    },
    ...(config.groundingDims > 0
      ? {
          grounding: initLinear(rng.fork("grounding"), {
            inputs: codesPerStep * codeWidth,
            outputs: config.groundingDims,
          }),
        }
      : {}),
  };
}

/** What every frame shows. @param images f32[B, H, W, 3] in [-1, 1] @returns f32[B, N, D or 2] */
function frameTokens(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  images: tf.Tensor4D,
): tf.Tensor3D {
  const { stem } = params.encoder;
  if ("entry" in stem) return keypointStem(stem, images).points;
  let x = tf.add(linear(stem.embed, patchify(images, config.patchSize)), stem.position) as tf.Tensor3D;
  for (const spatial of params.encoder.spatial) x = block(spatial, x, config.heads);
  return x;
}

/**
 * Encodes frame pairs as continuous latents, before quantisation: `d = e(x₂) - e(x₁)` (LAPA appendix A).
 *
 * @param frames f32[B, 2, H, W, 3] in [-1, 1]
 * @returns f32[B, L, codeWidth]
 */
export function encodePairs(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  frames: tf.Tensor5D,
): tf.Tensor3D {
  const [batch, , height, width] = frames.shape;
  const tokens = frameTokens(params, config, tf.reshape(frames, [batch * 2, height, width, 3]));
  const perFrame = tf.reshape(tokens, [batch, 2, tokens.shape[1], tokens.shape[2]]); // [B, 2, N, D|2]
  const at = (time: number) => tf.squeeze(tf.slice(perFrame, [0, time, 0, 0], [-1, 1, -1, -1]), [1]);
  const move = tf.sub(at(1), at(0)) as tf.Tensor3D; // [B, N, D|2]
  const scaled = config.stem === "keypoints" ? tf.mul(move, 8) : move;
  let x = tf.add(linear(params.encoder.enter, scaled), params.encoder.identity) as tf.Tensor3D; // [B, N, D]
  for (const temporal of params.encoder.temporal) x = block(temporal, x, config.heads);
  const flat = tf.reshape(layerNorm(params.encoder.norm, x), [batch, -1]); // [B, N * D]
  return tf.reshape(linear(params.encoder.toCodes, flat), [batch, config.codesPerStep, config.codeWidth]);
}

/**
 * Draws the second frame from the first and the codes: patches of frame one attend to each other and to the codes, and say
 * what to add to frame one.
 *
 * @param first f32[B, H, W, 3] in [-1, 1]
 * @param codeVectors f32[B, L, codeWidth]
 * @returns f32[B, H, W, 3], unclipped
 */
export function decodeFrame(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  first: tf.Tensor4D,
  codeVectors: tf.Tensor3D,
): tf.Tensor4D {
  const { decoder } = params;
  const { heads } = config;
  const patches = patchify(first, config.patchSize); // [B, N, p * p * 3]
  const context = tf.add(linear(decoder.fromCodes, codeVectors), decoder.codePosition) as tf.Tensor3D; // [B, L, D]
  let x = tf.add(linear(decoder.embed, patches), decoder.position) as tf.Tensor3D; // [B, N, D]
  for (const params of decoder.blocks) {
    const crossed = attention(params.cross, layerNorm(params.norm3, x) as tf.Tensor3D, { heads, context });
    x = block(params, tf.add(x, crossed), heads);
  }
  const change = linear(decoder.toPixels, layerNorm(decoder.norm, x)) as tf.Tensor3D;
  return tf.add(first, unpatchify(change, config.patchSize, config.imageSize));
}

/** u8 frames as f32[-1, 1]. */
export const toModelRange = <T extends tf.Tensor>(frames: T): T => tf.sub(tf.div(frames, 127.5), 1) as T;

/** Codes of frame pairs: i32[B, L]. @param frames f32[B, 2, H, W, 3] in [0, 255] */
export function inferCodes(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  vectors: tf.Tensor2D,
  frames: tf.Tensor5D,
): tf.Tensor2D {
  const latents = encodePairs(params, config, toModelRange(frames));
  const flat = tf.reshape(latents, [-1, config.codeWidth]) as tf.Tensor2D;
  return tf.reshape(nearestCode(flat, vectors), [-1, config.codesPerStep]);
}

/** Frames drawn from HARD codes, f32[B, H, W, 3] in [-1, 1]. @param codes i32[B, L] */
export function drawFromCodes(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  vectors: tf.Tensor2D,
  first: tf.Tensor4D,
  codes: tf.Tensor2D,
): tf.Tensor4D {
  const rows = lookUpCodes(tf.reshape(codes, [-1]) as tf.Tensor1D, vectors);
  const codeVectors = tf.reshape(rows, [-1, config.codesPerStep, config.codeWidth]) as tf.Tensor3D;
  return tf.clipByValue(decodeFrame(params, config, first, codeVectors), -1, 1);
}
