/**
 * @file Finite scalar quantisation (Mentzer et al. 2023, "FSQ: VQ-VAE made simple", section 3 and appendix A.1): each number of
 * a latent is bounded and rounded to one of a few levels. There is no codebook to collapse: the codes are a fixed grid.
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "#engine/index.ts";

/** Keeps the outermost levels within reach of the bound. */
const epsilon = 1e-3;

const constants = (levels: readonly number[]) => {
  const half = levels.map((count) => ((count - 1) * (1 - epsilon)) / 2);
  const offset = levels.map((count) => (count % 2 === 1 ? 0 : 0.5));
  return {
    half,
    offset,
    shift: half.map((width, index) => Math.tan(offset[index]! / width)),
    scale: levels.map((count) => Math.floor(count / 2)),
  };
};

/**
 * Bounds latents so that rounding (in units of a level) reaches all L levels of each scalar and no other:
 * `(tanh(z + s) (L - 1)(1 - ε) / 2 - o) / ⌊L / 2⌋` with `o = ½` and `s = tan(o / h)` for even L, else 0.
 *
 * @param latents f32[N, d], any scale
 * @returns f32[N, d] in about [-1, 1]
 */
export function boundScalars(latents: tf.Tensor2D, levels: readonly number[]): tf.Tensor2D {
  const { half, offset, shift, scale } = constants(levels);
  const bounded = tf.sub(tf.mul(tf.tanh(tf.add(latents, tf.tensor1d(shift))), tf.tensor1d(half)), tf.tensor1d(offset));
  return tf.div(bounded, tf.tensor1d(scale)) as tf.Tensor2D;
}

/**
 * All codes: the grid of levels, the first scalar running fastest.
 *
 * @returns f32[K, d] with K the product of the levels
 */
export function scalarGrid(levels: readonly number[]): HostArray {
  const size = levels.reduce((product, count) => product * count, 1);
  const data = new Float32Array(size * levels.length);
  for (let code = 0; code < size; code++) {
    let rest = code;
    for (const [index, count] of levels.entries()) {
      const half = Math.floor(count / 2);
      data[code * levels.length + index] = ((rest % count) - half) / half;
      rest = Math.floor(rest / count);
    }
  }
  return { shape: [size, levels.length], dtype: "float32", data };
}
