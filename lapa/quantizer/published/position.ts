/** @file Where tokens are, as published: a bias learned from distances, and convolutions over the grid. */
import * as tf from "@tensorflow/tfjs";
import { type HostArray, type Linear, linear } from "#engine/index.ts";
import { type Arrays, linearArrays } from "./arrays.ts";

/** Swin v2's continuous position bias (Liu et al. 2022, section 3.3): 2 -> D -> D -> G on log distances. */
export type PositionBias<T = HostArray> = readonly Linear<T>[];

export const initPositionBias = (arrays: Arrays, { width, heads }: { width: number; heads: number }): PositionBias => [
  linearArrays(arrays, "enter", 2, width),
  linearArrays(arrays, "hidden", width, width),
  linearArrays(arrays, "toHeads", width, heads),
];

/** f32[N * N, 2]: `sign(Δ) log(1 + |Δ|)` of rows and columns from token j to token i of a side x side grid. */
export function logDistances(side: number): Float32Array {
  const count = side * side;
  const out = new Float32Array(count * count * 2);
  const log = (delta: number) => Math.sign(delta) * Math.log1p(Math.abs(delta));
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      out[2 * (i * count + j)] = log(Math.floor(i / side) - Math.floor(j / side));
      out[2 * (i * count + j) + 1] = log((i % side) - (j % side));
    }
  }
  return out;
}

/** @returns f32[G, N, N] with N = side² */
export function positionBias(params: PositionBias<tf.Tensor>, side: number): tf.Tensor3D {
  const count = side * side;
  let x: tf.Tensor2D = tf.tensor2d(logDistances(side), [count * count, 2]);
  for (const [index, layer] of params.entries()) {
    x = linear(layer, x);
    if (index < params.length - 1) x = tf.leakyRelu(x, 0.1);
  }
  return tf.reshape(tf.transpose(x), [-1, count, count]) as tf.Tensor3D;
}

/** Position encoding generator (Chu et al. 2021): `weight` f32[3, 3, 3, D, 1] over time, rows, columns; `bias` f32[D]. */
export type Peg<T = HostArray> = { readonly weight: T; readonly bias: T };

export const initPeg = (arrays: Arrays, width: number): Peg => ({
  weight: arrays.uniform("weight", [3, 3, 3, width, 1], 27),
  bias: arrays.uniform("bias", [width], 27),
});

/**
 * A depthwise 3 x 3 x 3 convolution, causal in time: the last of its three time taps meets the frame itself.
 *
 * @param x f32[B, T, h, w, D]
 * @returns f32[B, T, h, w, D]
 */
export function peg({ weight, bias }: Peg<tf.Tensor>, x: tf.Tensor5D): tf.Tensor5D {
  const [batch, time, height, width, channels] = x.shape;
  let sum: tf.Tensor | undefined;
  for (let lag = 0; lag < Math.min(3, time); lag++) {
    const earlier = tf.reshape(tf.slice(x, [0, 0, 0, 0, 0], [-1, time - lag, -1, -1, -1]), [
      -1,
      height,
      width,
      channels,
    ]);
    const tap = tf.reshape(tf.slice(weight, [2 - lag, 0, 0, 0, 0], [1, -1, -1, -1, -1]), [3, 3, channels, 1]);
    const filtered = tf.depthwiseConv2d(earlier as tf.Tensor4D, tap as tf.Tensor4D, 1, "same");
    const frames = tf.reshape(filtered, [batch, time - lag, height * width * channels]);
    const shifted = lag === 0 ? frames : tf.pad(frames, [[0, 0], [lag, 0], [0, 0]]); // biome-ignore format: one row per axis
    sum = sum === undefined ? shifted : tf.add(sum, shifted);
  }
  return tf.add(tf.reshape(sum!, x.shape), bias) as tf.Tensor5D;
}
