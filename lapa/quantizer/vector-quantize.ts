/**
 * @file Vector quantisation that keeps all its codes: an averaged codebook with straight-through gradients
 * (van den Oord et al. 2017, appendix A.1) whose unused entries take over live encoder outputs during the whole run,
 * and the published noise substitution (NSVQ, Vali & Bäckström 2022; LAPA section 3.1) for comparison.
 *
 * Randomness enters as inputs (`reseed`, `noise`), so a traced step holds none of its own.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import { filled, type HostArray } from "#engine/index.ts";

/** Non-gradient state: `vectors` f32[K, D] are what is quantised to; `counts` f32[K] and `sums` f32[K, D] average use. */
export type Codebook<T> = { readonly vectors: T; readonly counts: T; readonly sums: T };

export function initCodebook(rng: Rng, codebookSize: number, codeWidth: number): Codebook<HostArray> {
  const vectors = Float32Array.from({ length: codebookSize * codeWidth }, () => rng.normal() * 0.5);
  const shape = [codebookSize, codeWidth];
  return {
    vectors: { shape, dtype: "float32", data: vectors },
    counts: { shape: [codebookSize], dtype: "float32", data: new Float32Array(codebookSize).fill(1) },
    sums: { shape, dtype: "float32", data: vectors.slice() },
  };
}

/**
 * State of an NSVQ codebook beside its trained vectors: `counts` f32[K] average use, and `shift` f32[K, D] is how far
 * re-seeding has carried each code from its trained vector. What is quantised to is their sum.
 */
export type NoiseCodebook<T> = { readonly counts: T; readonly shift: T };

/** Codes that never change: the grid of FSQ. */
export type FixedCodebook<T> = { readonly vectors: T };

export type AnyCodebook<T> = Codebook<T> | NoiseCodebook<T> | FixedCodebook<T>;

export const initNoiseCodebook = (codebookSize: number, codeWidth: number): NoiseCodebook<HostArray> => ({
  counts: filled([codebookSize], 1),
  shift: filled([codebookSize, codeWidth], 0),
});

/**
 * Finds the nearest codebook entry of every latent: `k = argmin_j |z - e_j|²` (van den Oord et al. 2017, eq. 1).
 *
 * @param latents f32[N, D]
 * @param vectors f32[K, D]
 * @param farther f32[N, K] added to the squared distances, where some entries are not for some latents
 * @returns codes i32[N] in [0, K)
 */
export function nearestCode(latents: tf.Tensor2D, vectors: tf.Tensor2D, farther?: tf.Tensor2D): tf.Tensor1D {
  const cross = tf.matMul(latents, vectors, false, true); // [N, K]
  const distances = tf.sub(tf.sum(tf.square(vectors), 1), tf.mul(cross, 2)); // [N, K] up to |z|²
  return tf.argMin(farther === undefined ? distances : tf.add(distances, farther), 1) as tf.Tensor1D;
}

/** f32[N, D]: the codebook rows of `codes` i32[N], as a matmul so that every executor has its gradient. */
export function lookUpCodes(codes: tf.Tensor1D, vectors: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(tf.oneHot(codes, vectors.shape[0]) as tf.Tensor2D, vectors);
}

/**
 * NSVQ (Vali & Bäckström 2022, eq. 4): `z + |z - e_k| v / |v|` with standard normal v. The residual's length is exact, its
 * direction random; codes learn through the length alone.
 */
export function noiseSubstitution(latents: tf.Tensor2D, quantized: tf.Tensor2D, noise: tf.Tensor2D): tf.Tensor2D {
  const length = (x: tf.Tensor) => tf.sqrt(tf.add(tf.sum(tf.square(x), -1, true), 1e-12));
  return tf.add(latents, tf.mul(tf.div(length(tf.sub(latents, quantized)), length(noise)), noise));
}

/**
 * One averaging step of the codebook with re-seeding.
 *
 * A code whose averaged share falls below `reseedBelow / K` takes over the live encoder output `latents[reseed[k]]`.
 *
 * @param reseed i32[K] rows of `latents`, drawn anew for every step
 */
export function updateCodebook(
  codebook: Codebook<tf.Tensor>,
  latents: tf.Tensor2D,
  codes: tf.Tensor1D,
  reseed: tf.Tensor1D,
  options: { decay: number; reseedBelow: number },
): Codebook<tf.Tensor> {
  const codebookSize = codebook.vectors.shape[0]!;
  const assigned = tf.oneHot(codes, codebookSize) as tf.Tensor2D; // [N, K]
  const average = (old: tf.Tensor, now: tf.Tensor) =>
    tf.add(tf.mul(old, options.decay), tf.mul(now, 1 - options.decay));
  const counts = average(codebook.counts, tf.sum(assigned, 0)); // [K]
  const sums = average(codebook.sums, tf.matMul(assigned, latents, true)); // [K, D]

  const total = tf.sum(counts);
  const dead = tf.less(counts, tf.mul(total, options.reseedBelow / codebookSize)); // [K]
  const fresh = tf.matMul(tf.oneHot(reseed, latents.shape[0]) as tf.Tensor2D, latents); // [K, D]
  const share = tf.div(total, codebookSize);
  const deadRows = tf.tile(tf.expandDims(dead, 1), [1, codebook.vectors.shape[1]!]);

  const liveCounts = tf.where(dead, tf.fill([codebookSize], 1), counts);
  const liveSums = tf.where(deadRows, fresh, sums);
  return {
    vectors: tf.div(liveSums, tf.expandDims(liveCounts, 1)),
    counts: tf.where(dead, tf.mul(tf.onesLike(counts), share), counts),
    sums: tf.where(deadRows, tf.mul(fresh, share), sums),
  };
}

/**
 * One step of an NSVQ codebook: counts are averaged; a dead code moves onto the live encoder output drawn for it.
 *
 * @param trained f32[K, D] the codebook as a parameter
 */
export function updateNoiseCodebook(
  codebook: NoiseCodebook<tf.Tensor>,
  trained: tf.Tensor2D,
  latents: tf.Tensor2D,
  codes: tf.Tensor1D,
  reseed: tf.Tensor1D,
  options: { decay: number; reseedBelow: number },
): NoiseCodebook<tf.Tensor> {
  const [codebookSize, codeWidth] = trained.shape;
  const used = tf.sum(tf.oneHot(codes, codebookSize), 0);
  const counts = tf.add(tf.mul(codebook.counts, options.decay), tf.mul(used, 1 - options.decay)); // [K]
  const total = tf.sum(counts);
  const dead = tf.less(counts, tf.mul(total, options.reseedBelow / codebookSize));
  const fresh = tf.matMul(tf.oneHot(reseed, latents.shape[0]) as tf.Tensor2D, latents); // [K, D]
  const deadRows = tf.tile(tf.expandDims(dead, 1), [1, codeWidth]);
  return {
    counts: tf.where(dead, tf.mul(tf.onesLike(counts), tf.div(total, codebookSize)), counts),
    shift: tf.where(deadRows, tf.sub(fresh, trained), codebook.shift),
  };
}
