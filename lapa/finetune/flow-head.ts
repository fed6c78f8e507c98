/**
 * @file Continuous actions by flow matching (Black et al. 2024, "pi0", section IV and appendix B): a chunk of noise is moved
 * to a chunk of actions along a velocity that the backbone gives, in a few Euler steps. The L action tokens see the prompt
 * and each other; the prompt is read once and its keys and values serve all steps.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import { type HostArray, initLinear, type Linear, linear, normalArray } from "#engine/index.ts";
import { type BackboneConfig, type BackboneParameters, type Cache, readTokens } from "#lapa/latent-vla/index.ts";

export type FlowHead<T = HostArray> = {
  /** f32[L, D]: places in the chunk. */
  readonly places: T;
  readonly enter: Linear<T>; // A -> D
  readonly mix: Linear<T>; // 2 D -> D: action and time
  readonly inner: Linear<T>; // D -> D
  readonly leave: Linear<T>; // D -> A
};

type FlowShape = { readonly dimensions: number; readonly chunkLength: number };

export function initFlowHead(rng: Rng, { width }: BackboneConfig, { dimensions, chunkLength }: FlowShape): FlowHead {
  const map = (name: string, inputs: number, outputs: number) => initLinear(rng.fork(name), { inputs, outputs });
  return {
    places: normalArray(rng.fork("places"), [chunkLength, width], 0.3),
    enter: map("enter", dimensions, width),
    mix: map("mix", 2 * width, width),
    inner: map("inner", width, width),
    leave: map("leave", width, dimensions),
  };
}

const shortestPeriod = 4e-3;
const longestPeriod = 4;

/** Sines and cosines of the time at periods from 0.004 to 4. @param time f32[B] @returns f32[B, 1, D] */
function timeFeatures(time: tf.Tensor1D, width: number): tf.Tensor3D {
  const half = width / 2;
  const rates = Float32Array.from({ length: half }, (_, index) => {
    const share = half === 1 ? 0 : index / (half - 1);
    return (2 * Math.PI) / (shortestPeriod * (longestPeriod / shortestPeriod) ** share);
  });
  const angles = tf.mul(tf.reshape(time, [-1, 1, 1]), tf.tensor(rates, [1, 1, half]));
  return tf.concat([tf.sin(angles), tf.cos(angles)], 2) as tf.Tensor3D;
}

type Model = { readonly trunk: BackboneParameters<tf.Tensor>; readonly action: FlowHead<tf.Tensor> };

/**
 * The velocity of a chunk on its way from noise (time 0) to actions (time 1).
 *
 * @param cache of the prompt @param chunk f32[B, L, A] @param time f32[B] in [0, 1]
 * @returns f32[B, L, A]
 */
export function flowVelocity(
  { trunk, action }: Model,
  config: BackboneConfig,
  cache: Cache,
  chunk: tf.Tensor3D,
  time: tf.Tensor1D,
): tf.Tensor3D {
  const entered = linear(action.enter, chunk); // [B, L, D]
  const when = tf.tile(timeFeatures(time, config.width), [1, chunk.shape[1], 1]);
  const mixed = linear(action.mix, tf.concat([entered, when], 2));
  const inner = linear(action.inner, tf.mul(mixed, tf.sigmoid(mixed))) as tf.Tensor3D;
  const { vectors } = readTokens(trunk, config, tf.add(inner, action.places) as tf.Tensor3D, { cache, open: true });
  return linear(action.leave, vectors) as tf.Tensor3D;
}

/**
 * Mean squared error of the velocity at `time a + (1 - time) noise`, whose true velocity is `a - noise`.
 *
 * @param actions f32[B, L, A] normalised @param noise f32[B, L, A] standard normal @param mask f32[B, L, A]
 */
export function flowLoss(
  model: Model,
  config: BackboneConfig,
  cache: Cache,
  { actions, noise, time, mask }: { actions: tf.Tensor3D; noise: tf.Tensor3D; time: tf.Tensor1D; mask: tf.Tensor3D },
): tf.Scalar {
  const share = tf.reshape(time, [-1, 1, 1]);
  const chunk = tf.add(tf.mul(share, actions), tf.mul(tf.sub(1, share), noise)) as tf.Tensor3D;
  const miss = tf.sub(flowVelocity(model, config, cache, chunk, time), tf.sub(actions, noise));
  return tf.div(tf.sum(tf.mul(tf.square(miss), mask)), tf.maximum(tf.sum(mask), 1)) as tf.Scalar;
}

/** Moves noise to actions. @param noise f32[B, L, A] @returns f32[B, L, A] normalised */
export function sampleFlow(
  model: Model,
  config: BackboneConfig,
  cache: Cache,
  noise: tf.Tensor3D,
  steps: number,
): tf.Tensor3D {
  let chunk = noise;
  for (let step = 0; step < steps; step++) {
    const time = tf.fill([noise.shape[0]], step / steps) as tf.Tensor1D;
    chunk = tf.add(chunk, tf.div(flowVelocity(model, config, cache, chunk, time), steps));
  }
  return chunk;
}

/** Times of training: early ones, where most is decided, more often: `0.999 (1 - u)`, u from Beta(1.5, 1). */
export const drawFlowTime = (rng: Rng): number => 0.999 * (1 - rng.uniform(0, 1) ** (1 / 1.5));
