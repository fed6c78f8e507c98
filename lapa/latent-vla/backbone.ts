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
  type LayerNorm,
  type Linear,
  layerNorm,
  linear,
  normalArray,
} from "#engine/index.ts";
import { initKeypointStem, type KeypointStem, keypointStem, patchify } from "#lapa/quantizer/index.ts";
import type { BackboneConfig } from "./config.ts";
import {
  type DecoderBlock,
  decoderBlock,
  initDecoderBlock,
  type RmsNorm,
  rmsNorm,
  type Seen,
} from "./decoder-block.ts";

export type BackboneParameters<T = HostArray> = {
  /** Own words, f32[V, D]; or the way in for the vectors of a frozen sentence encoder. */
  readonly words: T | Linear<T>;
  /** f32[T, D]; llama blocks know places by rotation. */
  readonly wordPosition?: T;
  /** Keypoints; a patch stem has no parameters of its own. */
  readonly stem?: KeypointStem<T>;
  /** Of keypoints, patches or the vectors of a frozen encoder; the codes of a frozen tokenizer, f32[codes, D]. */
  readonly enter: Linear<T> | T;
  readonly imagePosition?: T; // f32[N, D]
  readonly blocks: readonly DecoderBlock<T>[];
  readonly norm: LayerNorm<T> | RmsNorm<T>;
};

/** Keys and values of all blocks for the tokens so far. */
export type Cache = readonly Seen[];

/** Tokens of one picture, N. */
export function imageTokenCount({ stem, keypoints, imageSize, patchSize, imageEncoder }: BackboneConfig): number {
  if (stem === "encoder") return imageEncoder.tokens;
  return stem === "keypoints" ? keypoints : (imageSize / patchSize) ** 2;
}

/** Tokens of an instruction, T. */
export const textTokenCount = ({ textLength, textEncoder }: BackboneConfig): number =>
  textEncoder.file === "" ? textLength : textEncoder.tokens;

function imageInputs({ stem, stemChannels, patchSize, imageEncoder }: BackboneConfig): number {
  if (stem === "encoder") return imageEncoder.width;
  return stem === "keypoints" ? 4 + stemChannels : patchSize ** 2 * 3;
}

export function initBackbone(rng: Rng, config: BackboneConfig): BackboneParameters {
  const { width, imageEncoder, textEncoder } = config;
  const table = (name: string, rows: number, std: number) => normalArray(rng.fork(name), [rows, width], std);
  const isOwnText = textEncoder.file === "";
  const isCodes = config.stem === "encoder" && imageEncoder.codes > 0;
  const isLlama = config.block === "llama";
  return {
    words: isOwnText
      ? table("words", config.vocabularySize, 0.3)
      : initLinear(rng.fork("words"), { inputs: textEncoder.width, outputs: width }),
    ...(isLlama ? {} : { wordPosition: table("wordPosition", textTokenCount(config), 0.1) }),
    ...(config.stem === "keypoints" ? { stem: initKeypointStem(rng.fork("stem"), config) } : {}),
    enter: isCodes
      ? table("enter", imageEncoder.codes, 0.3)
      : initLinear(rng.fork("enter"), { inputs: imageInputs(config), outputs: width }),
    ...(isLlama ? {} : { imagePosition: table("imagePosition", imageTokenCount(config), 0.3) }),
    blocks: Array.from({ length: config.depth }, (_, index) => initDecoderBlock(rng.fork(`block${index}`), config)),
    norm: isLlama ? { weight: initLayerNorm(width).weight } : initLayerNorm(width),
  };
}

const isLinear = <T>(params: T | Linear<T>): params is Linear<T> =>
  typeof params === "object" && params !== null && "weight" in params;

/** Looks codes up in a table, or projects vectors. */
const enterBy = (params: tf.Tensor | Linear<tf.Tensor>, given: tf.Tensor): tf.Tensor =>
  isLinear(params) ? linear(params, given) : embedding({ weight: params }, given);

const withPosition = (tokens: tf.Tensor, position: tf.Tensor | undefined) =>
  (position === undefined ? tokens : tf.add(tokens, position)) as tf.Tensor3D;

/** @returns f32[B, N, D] */
function lookAt(params: BackboneParameters<tf.Tensor>, config: BackboneConfig, images: tf.Tensor): tf.Tensor3D {
  let tokens = images;
  if (params.stem) {
    const { points, features } = keypointStem(params.stem, images as tf.Tensor4D);
    tokens = tf.concat([tf.mul(points, 2), tf.square(points), features], 2); // [B, P, 4 + C]
  } else if (config.stem === "patches") {
    tokens = patchify(images as tf.Tensor4D, config.patchSize);
  }
  return withPosition(enterBy(params.enter, tokens), params.imagePosition);
}

/**
 * The tokens that every question begins with.
 *
 * @param images f32[B, H, W, 3] in [-1, 1]; what a frozen encoder made of them: f32[B, N, F], or codes i32[B, N]
 * @param words i32[B, T], or f32[B, T, E] of a frozen sentence encoder
 * @returns f32[B, T + N, D]
 */
export function promptTokens(
  params: BackboneParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
): tf.Tensor3D {
  const text = withPosition(enterBy(params.words, words), params.wordPosition); // [B, T, D]
  return tf.concat([text, lookAt(params, config, images)], 1) as tf.Tensor3D;
}

const finalNorm = (norm: LayerNorm<tf.Tensor> | RmsNorm<tf.Tensor>, x: tf.Tensor3D) =>
  ("bias" in norm ? layerNorm(norm, x) : rmsNorm(norm, x)) as tf.Tensor3D;

/**
 * Runs new tokens through all blocks, after those in the cache.
 *
 * @param tokens f32[B, N, D]
 * @param options `open`: the new tokens see each other in both directions
 * @returns `vectors` f32[B, N, D], normalised; the cache with the new tokens in it
 */
export function readTokens(
  params: BackboneParameters<tf.Tensor>,
  config: BackboneConfig,
  tokens: tf.Tensor3D,
  { cache, open = false }: { readonly cache?: Cache | undefined; readonly open?: boolean } = {},
): { vectors: tf.Tensor3D; cache: Cache } {
  const seen: Seen[] = [];
  let x = tokens;
  for (const [index, block] of params.blocks.entries()) {
    const result = decoderBlock(block, x, { heads: config.heads, past: cache?.[index], open });
    seen.push(result.seen);
    x = result.y;
  }
  return { vectors: finalNorm(params.norm, x), cache: seen };
}

/** One pass over a prompt and what is asked after it. @param prompt f32[B, P, D] @param queries f32[B, Q, D] @returns f32[B, Q, D] */
export function answerAtOnce(
  params: BackboneParameters<tf.Tensor>,
  config: BackboneConfig,
  prompt: tf.Tensor3D,
  queries: tf.Tensor3D,
): tf.Tensor3D {
  let x = tf.concat([prompt, queries], 1) as tf.Tensor3D; // [B, P + Q, D]
  for (const block of params.blocks) x = decoderBlock(block, x, { heads: config.heads }).y;
  return finalNorm(params.norm, tf.slice(x, [0, prompt.shape[1], 0], [-1, -1, -1]) as tf.Tensor3D);
}

/**
 * Runs the backbone: one pass over prompt and queries.
 *
 * @param images, words as `promptTokens`
 * @param queries f32[B, Q, D]
 * @returns f32[B, Q, D], normalised
 */
export const backbone = (
  params: BackboneParameters<tf.Tensor>,
  config: BackboneConfig,
  images: tf.Tensor,
  words: tf.Tensor,
  queries: tf.Tensor3D,
): tf.Tensor3D => answerAtOnce(params, config, promptTokens(params, config, images, words), queries);
