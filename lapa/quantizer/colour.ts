/** @file Colour augmentation: one affine map of RGB per sample, so that a code cannot lean on a colour. */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";

/** Numbers per sample: a 3 x 3 matrix, row by row, and three offsets. */
export const colourSize = 12;

export type ColourVariation = {
  /** Of hue, saturation, gains and offsets: 0 nothing, 1 strong. */
  readonly strength: number;
  /** Also turn light into dark for half of the samples. */
  readonly polarity?: boolean;
};

/**
 * Draws a map: hue turned about the grey axis, saturation, one gain per channel, offsets, polarity.
 *
 * @param into f32[..., 12], written at `offset`
 */
export function drawColour(
  rng: Rng,
  { strength, polarity = false }: ColourVariation,
  into: Float32Array,
  offset: number,
): void {
  const angleRad = strength * rng.uniform(-Math.PI, Math.PI) * 0.6;
  const saturation = 1 + strength * rng.uniform(-0.5, 0.5);
  const cosine = Math.cos(angleRad) * saturation;
  const sine = (Math.sin(angleRad) * saturation) / Math.sqrt(3);
  const sign = polarity && rng.next() < 0.5 ? -1 : 1;
  for (let row = 0; row < 3; row++) {
    const gain = sign + strength * rng.uniform(-0.3, 0.3);
    for (let column = 0; column < 3; column++) {
      const turn = row === column ? 0 : (column - row + 3) % 3 === 1 ? -sine : sine;
      // Rotation about (1, 1, 1) / sqrt(3), stretched by the saturation across it.
      const value = (row === column ? cosine : 0) + (1 - cosine) / 3 + turn;
      into[offset + 3 * row + column] = gain * value;
    }
  }
  for (let channel = 0; channel < 3; channel++) into[offset + 9 + channel] = strength * rng.uniform(-0.25, 0.25);
}

/**
 * Applies one map per sample and clips to [-1, 1].
 *
 * @param images f32[B, ..., 3] in [-1, 1]
 * @param colour f32[B, 12]
 */
export function applyColour<T extends tf.Tensor>(images: T, colour: tf.Tensor2D): T {
  const batch = images.shape[0]!;
  const flat = tf.reshape(images, [batch, -1, 3]) as tf.Tensor3D; // [B, P, 3]
  const matrix = tf.reshape(tf.slice(colour, [0, 0], [-1, 9]), [batch, 3, 3]); // row = output channel
  const offset = tf.reshape(tf.slice(colour, [0, 9], [-1, 3]), [batch, 1, 3]);
  const mapped = tf.add(tf.matMul(flat, matrix as tf.Tensor3D, false, true), offset);
  return tf.reshape(tf.clipByValue(mapped, -1, 1), images.shape) as T;
}
