/**
 * @file The quantizer as published (LAPA, Ye et al. 2024, section 3.1 and appendix A; upstream: laq/laq_model). At the
 * published size it has 343,796,080 parameters.
 *
 *   patches -> spatial transformer per frame -> temporal transformer per patch -> e₁, e₂
 *   d = codes(e₂) - codes(e₁);   x̂₂ = decoder(sg[p₁], context = quantised d)
 *
 * The released code differs from the paper's text in three ways. With `parity` they are kept as released; without it the
 * network does what the paper says:
 * - code layout: the L x d numbers of a pair are read as d x L, so that no token of the decoder is one code;
 * - grid of the temporal convolutions: tokens in the order (patch, time) are read as (time, patch);
 * - temporal attention sees both frames instead of the past alone.
 */
import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "#core/errors.ts";
import {
  type Conv2d,
  conv2d,
  flattenTree,
  type HostArray,
  type LayerNorm,
  type Linear,
  layerNorm,
  linear,
  sizeOf,
  stopGradient,
} from "#engine/index.ts";
import type { QuantizerModelConfig } from "../config.ts";
import { patchify, unpatchify } from "../patches.ts";
import { type Arrays, linearArrays, shapesOnly } from "./arrays.ts";
import { initPositionBias, type PositionBias, positionBias } from "./position.ts";
import { initPublishedTransformer, type PublishedTransformer, publishedTransformer } from "./transformer.ts";

export type PublishedNetwork<T = HostArray> = {
  readonly patches: { readonly enter: LayerNorm<T>; readonly embed: Linear<T>; readonly leave: LayerNorm<T> };
  readonly positionBias: PositionBias<T>;
  readonly spatial: PublishedTransformer<T>;
  readonly temporal: PublishedTransformer<T>;
  /** Width of the model to width of the codes, and the convolutions that make L vectors of a grid. */
  readonly bottleneck: {
    readonly enter: Linear<T>;
    readonly halve: Conv2d<T>;
    readonly shape: Conv2d<T>;
    readonly leave: Linear<T>;
  };
  readonly decoder: PublishedTransformer<T>;
  readonly toPixels: Linear<T>;
};

const sideOf = ({ imageSize, patchSize }: QuantizerModelConfig) => imageSize / patchSize;

/**
 * Height and width of the window that leaves L vectors of the halved grid: for the published 8 x 8 grid and L = 4 it is
 * 3 x 3, for L = 1 4 x 4, for L = 2 3 x 4.
 */
export function codeWindow(side: number, codes: number): readonly [number, number] {
  const halved = Math.ceil(side / 2);
  for (let rows = Math.ceil(Math.sqrt(codes)); rows <= Math.min(codes, halved); rows++) {
    const columns = codes / rows;
    if (Number.isInteger(columns) && columns <= halved) return [halved - rows + 1, halved - columns + 1];
  }
  throw new ConfigError(
    `codesPerStep: must fill a rectangle within ${halved} x ${halved}, got ${codes}. Choose another number or smaller patches.`,
  );
}

export function initPublishedNetwork(arrays: Arrays, config: QuantizerModelConfig): PublishedNetwork {
  const { width, heads, codeWidth, codesPerStep, patchSize } = config;
  const pixels = patchSize ** 2 * 3;
  const norm = (size: number) => ({ weight: arrays.filled([size], 1), bias: arrays.filled([size], 0) });
  const convolution = (name: string, [rows, columns]: readonly [number, number]) => {
    const fanIn = rows * columns * codeWidth;
    const own = arrays.within(name);
    return {
      weight: own.uniform("weight", [rows, columns, codeWidth, codeWidth], fanIn),
      bias: own.uniform("bias", [codeWidth], fanIn),
    };
  };
  const transformer = (name: string, depth: number, cross = false) =>
    initPublishedTransformer(arrays.within(name), { depth, width, heads, cross });
  return {
    patches: { enter: norm(pixels), embed: linearArrays(arrays, "embed", pixels, width), leave: norm(width) },
    positionBias: initPositionBias(arrays.within("positionBias"), { width, heads }),
    spatial: transformer("spatial", config.spatialDepth),
    temporal: transformer("temporal", config.temporalDepth),
    bottleneck: {
      enter: linearArrays(arrays, "toCodes", width, codeWidth),
      halve: convolution("halve", [3, 3]),
      shape: convolution("shape", codeWindow(sideOf(config), codesPerStep)),
      leave: linearArrays(arrays, "fromCodes", codeWidth, width),
    },
    decoder: transformer("decoder", config.decoderDepth, true),
    toPixels: linearArrays(arrays, "toPixels", width, pixels),
  };
}

/** Numbers in each part of a network of any size, and in its codebook, without making it. */
export function countPublishedParameters(config: QuantizerModelConfig): Record<string, number> {
  const network = initPublishedNetwork(shapesOnly, config);
  const parts = Object.entries(network).map(([name, part]) => {
    const leaves = flattenTree<HostArray>(part as never);
    return [name, leaves.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0)] as const;
  });
  return { ...Object.fromEntries(parts), codebook: config.codebookSize * config.codeWidth };
}

function embedPatches({ patches }: PublishedNetwork<tf.Tensor>, patchSize: number, images: tf.Tensor4D): tf.Tensor3D {
  const flat = layerNorm(patches.enter, patchify(images, patchSize)); // [B, N, p * p * 3]
  return layerNorm(patches.leave, linear(patches.embed, flat)); // [B, N, D]
}

/** The released code's slip: numbers that lie as [B, N, T] are read as [B, T, N]. @param x f32[B * N, T, D] */
export const gridAsReleased = (x: tf.Tensor3D, pairs: number, side: number): tf.Tensor5D =>
  tf.reshape(x, [pairs, x.shape[1], side, side, x.shape[2]]);

/** @param x f32[B * N, T, D] @returns f32[B, T, h, w, D] */
export function gridOfTime(x: tf.Tensor3D, pairs: number, side: number): tf.Tensor5D {
  const perPatch = tf.reshape(x, [pairs, side * side, x.shape[1], x.shape[2]]);
  return tf.reshape(tf.transpose(perPatch, [0, 2, 1, 3]), [pairs, x.shape[1], side, side, x.shape[2]]);
}

function ungridOfTime(x: tf.Tensor5D): tf.Tensor3D {
  const [pairs, time, rows, columns, width] = x.shape;
  const perFrame = tf.reshape(x, [pairs, time, rows * columns, width]);
  return tf.reshape(tf.transpose(perFrame, [0, 2, 1, 3]), [pairs * rows * columns, time, width]);
}

/** What the two transformers make of a pair. @param frames f32[B, 2, H, W, 3] @returns f32[B * 2, N, D], pair by pair */
export function encodeTokens(
  network: PublishedNetwork<tf.Tensor>,
  config: QuantizerModelConfig,
  frames: tf.Tensor5D,
): tf.Tensor3D {
  const { heads, parity, patchSize, width } = config;
  const [pairs, time, imageHeight, imageWidth] = frames.shape;
  const side = sideOf(config);
  const count = side * side;
  const images = tf.reshape(frames, [pairs * time, imageHeight, imageWidth, 3]) as tf.Tensor4D;
  const seen = publishedTransformer(network.spatial, embedPatches(network, patchSize, images), {
    heads,
    bias: positionBias(network.positionBias, side),
    grid: (x) => tf.reshape(x, [pairs, time, side, side, width]),
    ungrid: (x) => tf.reshape(x, [pairs * time, count, width]),
  });
  const overTime = tf.transpose(tf.reshape(seen, [pairs, time, count, width]), [0, 2, 1, 3]);
  const through = publishedTransformer(network.temporal, tf.reshape(overTime, [pairs * count, time, width]), {
    heads,
    causal: !parity,
    grid: (x) => (parity ? gridAsReleased(x, pairs, side) : gridOfTime(x, pairs, side)),
    ungrid: (x) => (parity ? tf.reshape(x, [pairs * count, time, width]) : ungridOfTime(x)),
  });
  const perPatch = tf.reshape(through, [pairs, count, time, width]);
  return tf.reshape(tf.transpose(perPatch, [0, 2, 1, 3]), [pairs * time, count, width]);
}

/** `d = codes(e₂) - codes(e₁)`. @param frames f32[B, 2, H, W, 3] in [-1, 1] @returns f32[B, L, codeWidth] */
export function encodePublished(
  network: PublishedNetwork<tf.Tensor>,
  config: QuantizerModelConfig,
  frames: tf.Tensor5D,
): tf.Tensor3D {
  const { codeWidth, codesPerStep } = config;
  const side = sideOf(config);
  const { enter, halve, shape } = network.bottleneck;
  const narrow = linear(enter, encodeTokens(network, config, frames)); // [B * 2, N, d]
  const grid = tf.reshape(narrow, [-1, side, side, codeWidth]) as tf.Tensor4D;
  // Padded by one on every side and stepped by two, as PyTorch does it: "same" would pad at the far side alone.
  const padded = tf.pad(grid, [[0, 0], [1, 1], [1, 1], [0, 0]]) as tf.Tensor4D; // biome-ignore format: one row per axis
  const halved = tf.relu(conv2d(halve, padded, { stride: 2, padding: "valid" }));
  const codes = conv2d(shape, halved, { padding: "valid" }); // [B * 2, rows, columns, d]
  const perFrame = tf.reshape(codes, [-1, 2, codesPerStep, codeWidth]);
  const at = (time: number) => tf.squeeze(tf.slice(perFrame, [0, time, 0, 0], [-1, 1, -1, -1]), [1]);
  return tf.sub(at(1), at(0)) as tf.Tensor3D;
}

/** Codes as the decoder's tokens f32[B, L, d]: as they are, or read as d x L and turned, as released. */
export function codeTokens(codeVectors: tf.Tensor3D, parity: boolean): tf.Tensor3D {
  const [batch, codes, width] = codeVectors.shape;
  return parity ? tf.transpose(tf.reshape(codeVectors, [batch, width, codes]), [0, 2, 1]) : codeVectors;
}

/**
 * Draws the second frame: `x̂₂ = W decoder(sg[p₁], codes)`, in [0, 1] as published, told in [-1, 1].
 *
 * @param time f32[B or 1, 1, D] added to the codes' tokens; not in the paper
 */
export function decodePublished(
  network: PublishedNetwork<tf.Tensor>,
  config: QuantizerModelConfig,
  first: tf.Tensor4D,
  codeVectors: tf.Tensor3D,
  time?: tf.Tensor3D,
): tf.Tensor4D {
  const { heads, parity, patchSize, imageSize, width } = config;
  const side = sideOf(config);
  const told = linear(network.bottleneck.leave, codeTokens(codeVectors, parity)); // [B, L, D]
  const queries = stopGradient(embedPatches(network, patchSize, first));
  const drawn = publishedTransformer(network.decoder, queries, {
    heads,
    context: time === undefined ? told : tf.add(told, time),
    bias: positionBias(network.positionBias, side),
    grid: (x) => tf.reshape(x, [-1, 1, side, side, width]),
    ungrid: (x) => tf.reshape(x, [-1, side * side, width]),
  });
  const pixels = unpatchify(linear(network.toPixels, drawn), patchSize, imageSize);
  return tf.sub(tf.mul(pixels, 2), 1) as tf.Tensor4D;
}
