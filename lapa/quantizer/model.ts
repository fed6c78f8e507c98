/**
 * @file The latent action quantizer (LAPA, Ye et al. 2024, section 3.1): two frames in, L codes out, and a decoder that
 * must draw the second frame from the first frame and the codes alone.
 *
 *   frames -> stem -> spatial blocks per frame -> difference -> temporal blocks -> codes -> decoder(first frame, codes)
 *
 * Deviations from the paper are listed in README.md; the largest is the keypoint stem of the small presets, whose only
 * message is how far each of P points moved.
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
import { codebookRows, codesOfRows, foreignRows, quantizable, rowsOfCodes } from "./code-space.ts";
import type { QuantizerModelConfig } from "./config.ts";
import { type FeatureDecoder, initFeatureDecoder, standardTokens } from "./feature-target.ts";
import { initKeypointStem, type KeypointStem, keypointStem } from "./keypoint-stem.ts";
import { patchify, unpatchify } from "./patches.ts";
import { drawnArrays } from "./published/arrays.ts";
import { decodePublished, encodePublished, initPublishedNetwork, type PublishedNetwork } from "./published/network.ts";
import { lookUpCodes, nearestCode } from "./vector-quantize.ts";

/** A linear projection of patches, or of a frozen encoder's vectors, and where each is. */
type PatchStem<T> = { readonly embed: Linear<T>; readonly position: T };

export type CompactNetwork<T = HostArray> = {
  readonly encoder: {
    readonly stem: KeypointStem<T> | PatchStem<T>;
    readonly spatial: readonly TransformerBlock<T>[];
    readonly enter: Linear<T>;
    /** f32[N, D]: which token it is. */
    readonly identity: T;
    readonly temporal: readonly TransformerBlock<T>[];
    readonly norm: LayerNorm<T>;
    readonly toCodes: Linear<T>;
  };
  readonly decoder: {
    readonly stem: PatchStem<T>;
    readonly fromCodes: Linear<T>;
    /** f32[L, D] */
    readonly codePosition: T;
    readonly blocks: readonly TransformerBlock<T>[];
    readonly norm: LayerNorm<T>;
    readonly toPixels: Linear<T>;
  };
};

export type QuantizerParameters<T = HostArray> = (CompactNetwork<T> | { readonly published: PublishedNetwork<T> }) & {
  /** Reads the true action off the codes; trained on labelled pairs alone. */
  readonly grounding?: Linear<T>;
  /** f32[K, codeWidth] (or one codebook per position, f32[L * K, codeWidth]): trained codes, NSVQ alone. */
  readonly codes?: T;
  /** Tells the decoder the logarithm of the pair's time over `offsetS`; timed alone. */
  readonly timing?: Linear<T>;
  /** Predicts features instead of pixels; where the target is not pixels. */
  readonly features?: FeatureDecoder<T>;
};

/** What the own encoder's averaged weights are kept of. */
export type TargetEncoder<T = HostArray> = Pick<CompactNetwork<T>["encoder"], "stem" | "spatial">;

const patchCount = ({ imageSize, patchSize }: QuantizerModelConfig) => (imageSize / patchSize) ** 2;

function initPatchStem(
  rng: Rng,
  { inputs, tokens, width }: { inputs: number; tokens: number; width: number },
  positionStd: number,
): PatchStem<HostArray> {
  return {
    embed: initLinear(rng.fork("embed"), { inputs, outputs: width }),
    position: normalArray(rng.fork("position"), [tokens, width], positionStd),
  };
}

export function initQuantizer(rng: Rng, config: QuantizerModelConfig): QuantizerParameters {
  const { architecture, quantization, groundingDims, codeWidth, codesPerStep, timed, width } = config;
  const network =
    architecture === "published"
      ? { published: initPublishedNetwork(drawnArrays(rng.fork("published")), config) }
      : initCompactNetwork(rng, config);
  const inputs = codesPerStep * codeWidth;
  return {
    ...network,
    ...(groundingDims > 0 ? { grounding: initLinear(rng.fork("grounding"), { inputs, outputs: groundingDims }) } : {}),
    ...(quantization === "nsvq" ? { codes: normalArray(rng.fork("codes"), [codebookRows(config), codeWidth], 1) } : {}),
    ...(config.target === "pixels" ? {} : { features: initFeatureDecoder(rng.fork("features"), config) }),
    ...(timed ? { timing: initLinear(rng.fork("timing"), { inputs: 1, outputs: width, std: 0.1 }) } : {}),
  };
}

function initCompactNetwork(rng: Rng, config: QuantizerModelConfig): CompactNetwork {
  const { width, heads, patchSize, codeWidth, codesPerStep } = config;
  const isKeypoints = config.stem === "keypoints";
  const patches = { inputs: patchSize ** 2 * 3, tokens: patchCount(config), width };
  const { imageEncoder } = config;
  const seen = config.stem === "encoder" ? { inputs: imageEncoder.width, tokens: imageEncoder.tokens, width } : patches;
  const tokens = isKeypoints ? config.keypoints : seen.tokens;
  const blocks = (depth: number, name: string, cross = false) =>
    Array.from({ length: depth }, (_, index) =>
      initTransformerBlock(rng.fork(`${name}${index}`), { width, heads, cross }),
    );
  const messageWidth = codesPerStep * codeWidth;
  return {
    encoder: {
      stem: isKeypoints ? initKeypointStem(rng.fork("stem"), config) : initPatchStem(rng.fork("stem"), seen, 0.02),
      spatial: blocks(isKeypoints ? 0 : config.spatialDepth, "spatial"),
      enter: initLinear(rng.fork("enter"), { inputs: isKeypoints ? 2 : width, outputs: width }),
      identity: normalArray(rng.fork("identity"), [tokens, width], isKeypoints ? 0.3 : 0.02),
      temporal: blocks(config.temporalDepth, "temporal"),
      norm: initLayerNorm(width),
      toCodes: initLinear(rng.fork("toCodes"), { inputs: tokens * width, outputs: messageWidth }),
    },
    decoder: {
      stem: initPatchStem(rng.fork("decoderStem"), patches, 0.1),
      fromCodes: initLinear(rng.fork("fromCodes"), { inputs: codeWidth, outputs: width }),
      codePosition: normalArray(rng.fork("codePosition"), [codesPerStep, width], 0.1),
      blocks: blocks(config.decoderDepth, "decoder", true),
      norm: initLayerNorm(width),
      toPixels: initLinear(rng.fork("toPixels"), { inputs: width, outputs: patchSize ** 2 * 3, std: 0.002 }),
    },
  };
}

/**
 * What every frame shows.
 *
 * @param images f32[B, H, W, 3] in [-1, 1]
 * @param features f32[B, N, F] of a frozen encoder, where the stem is one
 * @returns f32[B, N, 2 or D]
 */
export function frameTokens(
  { stem, spatial }: TargetEncoder<tf.Tensor>,
  config: QuantizerModelConfig,
  images: tf.Tensor4D,
  features?: tf.Tensor3D,
): tf.Tensor3D {
  if ("entry" in stem) return keypointStem(stem, images).points;
  const seen = config.stem === "encoder" ? standardTokens(features!) : patchify(images, config.patchSize);
  let x = tf.add(linear(stem.embed, seen), stem.position) as tf.Tensor3D;
  for (const block of spatial) x = transformerBlock(block, x, config);
  return x;
}

/** Both frames of each pair one after another, f32[B * 2, N, F]. */
const joinFrames = (features: tf.Tensor4D): tf.Tensor3D =>
  tf.reshape(features, [features.shape[0] * 2, features.shape[2], features.shape[3]]);

/** Keypoint moves are a few hundredths of the picture; this brings them to the size of the other inputs. */
const keypointGain = 8;

/**
 * Encodes frame pairs as continuous latents, before quantisation: `d = e(x₂) - e(x₁)` (LAPA appendix A).
 *
 * @param frames f32[B, 2, H, W, 3] in [-1, 1]
 * @param features f32[B, 2, N, F] of a frozen encoder, where the stem is one
 * @returns f32[B, L, codeWidth]
 */
export function encodePairs(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  frames: tf.Tensor5D,
  features?: tf.Tensor4D,
): tf.Tensor3D {
  if ("published" in params) return encodePublished(params.published, config, frames);
  const [batch, , height, width] = frames.shape;
  const images = tf.reshape(frames, [batch * 2, height, width, 3]) as tf.Tensor4D;
  const tokens = frameTokens(params.encoder, config, images, features && joinFrames(features));
  const perFrame = tf.reshape(tokens, [batch, 2, tokens.shape[1], tokens.shape[2]]); // [B, 2, N, 2|D]
  const at = (time: number) => tf.squeeze(tf.slice(perFrame, [0, time, 0, 0], [-1, 1, -1, -1]), [1]);
  const move = tf.sub(at(1), at(0)) as tf.Tensor3D; // [B, N, 2|D]
  const scaled = (config.stem === "keypoints" ? tf.mul(move, keypointGain) : move) as tf.Tensor3D;
  const latents = config.antisymmetric
    ? tf.sub(readMove(params, config, scaled), readMove(params, config, tf.neg(scaled)))
    : readMove(params, config, scaled);
  return tf.reshape(latents, [batch, config.codesPerStep, config.codeWidth]);
}

/** One message per pair from what moved. @param move f32[B, N, 2|D] @returns f32[B, L * codeWidth] */
function readMove(
  { encoder }: CompactNetwork<tf.Tensor>,
  config: QuantizerModelConfig,
  move: tf.Tensor3D,
): tf.Tensor2D {
  let x = tf.add(linear(encoder.enter, move), encoder.identity) as tf.Tensor3D; // [B, N, D]
  for (const temporal of encoder.temporal) x = transformerBlock(temporal, x, config);
  const flat = tf.reshape(layerNorm(encoder.norm, x), [move.shape[0], -1]); // [B, N * D]
  return linear(encoder.toCodes, flat) as tf.Tensor2D;
}

/** f32[B or 1, 1, D], added to the tokens of the codes. */
const tellTime = (timing: Linear<tf.Tensor>, logTime: tf.Tensor2D = tf.zeros([1, 1])): tf.Tensor3D =>
  tf.expandDims(linear(timing, logTime), 1);

/**
 * Draws the second frame from the first and the codes: patches of frame one attend to each other and to the codes, and say
 * what to add to frame one.
 *
 * @param first f32[B, H, W, 3] in [-1, 1]
 * @param codeVectors f32[B, L, codeWidth]
 * @param logTime f32[B, 1] logarithm of the pairs' time over `offsetS`, timed alone; by default 0
 * @returns f32[B, H, W, 3], unclipped
 */
export function decodeFrame(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  first: tf.Tensor4D,
  codeVectors: tf.Tensor3D,
  logTime?: tf.Tensor2D,
): tf.Tensor4D {
  const time = params.timing && tellTime(params.timing, logTime);
  if ("published" in params) return decodePublished(params.published, config, first, codeVectors, time);
  const { decoder } = params;
  const patches = patchify(first, config.patchSize); // [B, N, p * p * 3]
  const told = tf.add(linear(decoder.fromCodes, codeVectors), decoder.codePosition) as tf.Tensor3D; // [B, L, D]
  const context = time === undefined ? told : (tf.add(told, time) as tf.Tensor3D);
  let x = tf.add(linear(decoder.stem.embed, patches), decoder.stem.position) as tf.Tensor3D; // [B, N, D]
  for (const block of decoder.blocks) x = transformerBlock(block, x, { heads: config.heads, context });
  const change = linear(decoder.toPixels, layerNorm(decoder.norm, x)) as tf.Tensor3D;
  return tf.add(first, unpatchify(change, config.patchSize, config.imageSize));
}

/** Pixels in [0, 255] as [-1, 1]. */
export const toModelRange = <T extends tf.Tensor>(pixels: T): T => tf.sub(tf.div(pixels, 127.5), 1) as T;

/** The `time`-th frame of each pair. @param frames f32[B, 2, H, W, 3] @returns f32[B, H, W, 3] */
export const frameAt = (frames: tf.Tensor5D, time: 0 | 1): tf.Tensor4D =>
  tf.squeeze(tf.slice(frames, [0, time, 0, 0, 0], [-1, 1, -1, -1, -1]), [1]);

/** Codes of frame pairs, i32[B, L]. @param frames f32[B, 2, H, W, 3] in [-1, 1] @param features as `encodePairs` */
export function inferCodes(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  vectors: tf.Tensor2D,
  frames: tf.Tensor5D,
  features?: tf.Tensor4D,
): tf.Tensor2D {
  const flat = tf.reshape(encodePairs(params, config, frames, features), [-1, config.codeWidth]) as tf.Tensor2D;
  const rows = nearestCode(quantizable(config, flat), vectors, foreignRows(config, flat.shape[0]));
  return tf.reshape(codesOfRows(config, rows), [-1, config.codesPerStep]);
}

/** Frames drawn from HARD codes, f32[B, H, W, 3] in [-1, 1]. @param codes i32[B, L] */
export function drawFromCodes(
  params: QuantizerParameters<tf.Tensor>,
  config: QuantizerModelConfig,
  vectors: tf.Tensor2D,
  first: tf.Tensor4D,
  codes: tf.Tensor2D,
): tf.Tensor4D {
  const found = lookUpCodes(rowsOfCodes(config, tf.reshape(codes, [-1]) as tf.Tensor1D), vectors);
  const codeVectors = tf.reshape(found, [-1, config.codesPerStep, config.codeWidth]) as tf.Tensor3D;
  return tf.clipByValue(decodeFrame(params, config, first, codeVectors), -1, 1);
}
