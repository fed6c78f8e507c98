/**
 * @file A picture as P points: a small convolutional network whose heat maps are read by soft-argmax (Finn et al. 2016,
 * "Deep spatial autoencoders", eq. 2). Both the quantizer and the small VLA presets look through it: a message of what is
 * where learns actions from far less data than free patches (docs/results.md).
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  type Conv2d,
  conv2d,
  type HostArray,
  initConv2d,
  initLayerNorm,
  initLinear,
  type LayerNorm,
  type Linear,
  layerNorm,
  linear,
} from "#engine/index.ts";

export type KeypointStemConfig = {
  readonly stemChannels: number;
  readonly keypoints: number;
  /** Times the logits of the heat maps: flat maps all read the picture's middle and learn slowly. */
  readonly heatGain: number;
};

export type KeypointStem<T = HostArray> = {
  readonly entry: Conv2d<T>; // 3 -> C / 2, half size
  readonly down: Conv2d<T>; // C / 2 -> C, quarter size
  readonly norm: LayerNorm<T>;
  readonly deep: Conv2d<T>; // C -> C
  readonly heat: Linear<T>; // C -> P
};

export function initKeypointStem(rng: Rng, { stemChannels, keypoints, heatGain }: KeypointStemConfig): KeypointStem {
  const half = Math.ceil(stemChannels / 2);
  return {
    entry: initConv2d(rng.fork("entry"), { size: 5, inputs: 3, outputs: half }),
    down: initConv2d(rng.fork("down"), { size: 3, inputs: half, outputs: stemChannels }),
    norm: initLayerNorm(stemChannels),
    deep: initConv2d(rng.fork("deep"), { size: 3, inputs: stemChannels, outputs: stemChannels }),
    heat: initLinear(rng.fork("heat"), {
      inputs: stemChannels,
      outputs: keypoints,
      std: heatGain / Math.sqrt(stemChannels),
    }),
  };
}

/** f32[h * w, 2]: x and y of every cell centre of an h x w grid, in [-1, 1]. */
function gridCoordinates(height: number, width: number): Float32Array {
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
 * @returns points f32[B, P, 2] in [-1, 1] (x right, y down) and features f32[B, P, C] averaged under each heat map
 */
export function keypointStem(
  params: KeypointStem<tf.Tensor>,
  images: tf.Tensor4D,
): { points: tf.Tensor3D; features: tf.Tensor3D } {
  const entry = tf.relu(conv2d(params.entry, images, { stride: 2 })); // [B, H/2, W/2, C/2]
  const down = tf.relu(conv2d(params.down, entry, { stride: 2 })); // [B, H/4, W/4, C]
  const deep = tf.relu(conv2d(params.deep, layerNorm(params.norm, down) as tf.Tensor4D));
  const [batch, height, width, channels] = deep.shape;
  const cells = tf.reshape(deep, [batch, height * width, channels]); // [B, N, C]
  const heat = tf.softmax(tf.transpose(linear(params.heat, cells), [0, 2, 1])); // [B, P, N]
  const grid = tf.tensor2d(gridCoordinates(height, width), [height * width, 2]);
  const flat = tf.reshape(heat, [-1, height * width]) as tf.Tensor2D;
  const points = tf.reshape(tf.matMul(flat, grid), [batch, -1, 2]) as tf.Tensor3D; // [B, P, 2]
  return { points, features: tf.matMul(heat, cells) as tf.Tensor3D };
}
