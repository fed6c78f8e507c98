/**
 * @file A picture as P points: a small convolutional network whose heat maps are read by soft-argmax (Finn et al. 2016,
 * "Deep spatial autoencoders", eq. 2). Both the quantizer and the tiny VLA look through it: at small scale a message of
 * what is where learns actions from a hundredth of the data that free patches need (docs/results.md).
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import { type HostArray, initLayerNorm, initLinear, layerNorm, linear, type Tree } from "#engine/index.ts";

export type KeypointStemConfig = { readonly imageSize: number; readonly stemChannels: number; readonly keypoints: number };

export type KeypointStem<T> = {
  readonly entry: T; // f32[5, 5, 3 + 2, C / 2]
  readonly entryBias: T;
  readonly down: T; // f32[3, 3, C / 2, C]
  readonly downBias: T;
  readonly norm: Tree<T>;
  readonly deep: T; // f32[3, 3, C, C]
  readonly deepBias: T;
  readonly heat: Tree<T>; // C -> P
};

const heInit = (rng: Rng, shape: readonly number[]): HostArray => {
  const fanIn = shape[0]! * shape[1]! * shape[2]!;
  const size = fanIn * shape[3]!;
  const data = Float32Array.from({ length: size }, () => rng.normal() * Math.sqrt(2 / fanIn));
  return { shape, dtype: "float32", data };
};
const zeros = (length: number): HostArray => ({ shape: [length], dtype: "float32", data: new Float32Array(length) });

export function initKeypointStem(rng: Rng, config: KeypointStemConfig): KeypointStem<HostArray> {
  const channels = config.stemChannels;
  const half = Math.floor(channels / 2);
  return {
    entry: heInit(rng, [5, 5, 3, half]),
    entryBias: zeros(half),
    down: heInit(rng, [3, 3, half, channels]),
    downBias: zeros(channels),
    norm: initLayerNorm(channels),
    deep: heInit(rng, [3, 3, channels, channels]),
    deepBias: zeros(channels),
    heat: initLinear(rng, { inputs: channels, outputs: config.keypoints }),
  };
}

/** f32[h * w, 2]: x and y of every cell centre of an h x w grid, in [-1, 1]. */
export function gridCoordinates(height: number, width: number): Float32Array {
  const coordinates = new Float32Array(height * width * 2);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      coordinates[2 * (row * width + column)] = (2 * column + 1) / width - 1;
      coordinates[2 * (row * width + column) + 1] = (2 * row + 1) / height - 1;
    }
  }
  return coordinates;
}

/**
 * Reads P keypoints off every picture.
 *
 * @param images f32[B, H, W, 3] in [-1, 1]
 * @returns points f32[B, P, 2] in [-1, 1] (x right, y down) and features f32[B, P, C] pooled under each heat map
 */
export function keypointStem(
  params: KeypointStem<tf.Tensor>,
  images: tf.Tensor4D,
): { points: tf.Tensor3D; features: tf.Tensor3D } {
  const batch = images.shape[0];
  const convolve = (x: tf.Tensor4D, filter: tf.Tensor, bias: tf.Tensor, stride: number) =>
    tf.relu(tf.add(tf.conv2d(x, filter as tf.Tensor4D, stride, "same"), bias)) as tf.Tensor4D;
  const entry = convolve(images, params.entry, params.entryBias, 2); // [B, H/2, W/2, C/2]
  const down = convolve(entry, params.down, params.downBias, 2); // [B, H/4, W/4, C]
  const normed = layerNorm(params.norm, down) as tf.Tensor4D;
  const deep = convolve(normed, params.deep, params.deepBias, 1); // [B, H/4, W/4, C]

  const [, height, width, channels] = deep.shape;
  const cells = tf.reshape(deep, [batch, height * width, channels]); // [B, N, C]
  const logits = linear(params.heat, cells); // [B, N, P]
  const heat = tf.softmax(tf.transpose(logits, [0, 2, 1])); // [B, P, N]
  const grid = tf.tensor2d(gridCoordinates(height, width), [height * width, 2]);
  const points = tf.reshape(
    tf.matMul(tf.reshape(heat, [-1, height * width]) as tf.Tensor2D, grid),
    [batch, -1, 2],
  ) as tf.Tensor3D;
  return { points, features: tf.matMul(heat, cells) as tf.Tensor3D };
}
