import * as tf from "@tensorflow/tfjs";
import { type HostArray, type Linear, layerNorm, linear } from "#engine/index.ts";
import { type Arrays, linearArrays } from "./arrays.ts";

export type CosineAttention<T = HostArray> = {
  /** f32[D]: gain of the norm before the queries. */
  readonly norm: T;
  /** f32[D]: gain of the norm of a context. Self-attention has one too, as published, and never uses it. */
  readonly contextNorm: T;
  readonly query: Linear<T>;
  /** D -> 2 D: keys, then values. */
  readonly keyValue: Linear<T>;
  /** f32[D / G] each. */
  readonly queryScale: T;
  readonly keyScale: T;
  /** f32[G, 2 n, D / G]: n learned keys and values, key and value by turns, that are always there to look at. */
  readonly nullKeyValue?: T;
  readonly output: Linear<T>;
};

export type CosineAttentionOptions = {
  readonly heads: number;
  /** f32[G, N, M], added to the scores. */
  readonly bias?: tf.Tensor3D;
  /** f32[B, M, D]; by default the tokens themselves. */
  readonly context?: tf.Tensor3D;
  readonly causal?: boolean;
};

export function initCosineAttention(
  arrays: Arrays,
  { width, heads, nulls }: { width: number; heads: number; nulls: number },
): CosineAttention {
  const size = width / heads;
  return {
    norm: arrays.filled([width], 1),
    contextNorm: arrays.filled([width], 1),
    query: linearArrays(arrays, "query", width, width, false),
    keyValue: linearArrays(arrays, "keyValue", width, 2 * width, false),
    queryScale: arrays.filled([size], 1),
    keyScale: arrays.filled([size], 1),
    ...(nulls > 0 ? { nullKeyValue: arrays.normal("nullKeyValue", [heads, 2 * nulls, size]) } : {}),
    output: linearArrays(arrays, "output", width, width, false),
  };
}

/** Layer norm with a gain and no shift. */
export const gainNorm = <T extends tf.Tensor>(gain: tf.Tensor, x: T): T =>
  layerNorm({ weight: gain, bias: tf.zerosLike(gain) }, x);

const unit = (x: tf.Tensor) => tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), -1, true), 1e-12)));

/** Scores are cosines, in [-1, 1] at the start: eight times that lets a softmax choose. */
const gain = 8;

/**
 * Attention by cosines: `softmax(8 (q̂ ∘ s_q)(k̂ ∘ s_k)ᵀ + bias) V` with q̂, k̂ of length 1 and learned s_q, s_k
 * (upstream: laq/laq_model/attention.py). Queries see normalised tokens; keys and values of self-attention see the tokens
 * as they are, as published.
 *
 * @param x f32[B, N, D]
 * @returns f32[B, N, D]
 */
export function cosineAttention(
  params: CosineAttention<tf.Tensor>,
  x: tf.Tensor3D,
  { heads, bias, context, causal = false }: CosineAttentionOptions,
): tf.Tensor3D {
  const [batch, tokens, width] = x.shape;
  const size = width / heads;
  const source = context === undefined ? x : gainNorm(params.contextNorm, context);
  const split = (flat: tf.Tensor) => tf.transpose(tf.reshape(flat, [batch, -1, heads, size]), [0, 2, 1, 3]);
  const query = split(linear(params.query, gainNorm(params.norm, x))); // [B, G, N, d]
  const [ownKeys, ownValues] = tf.split(linear(params.keyValue, source), 2, -1).map(split) as [tf.Tensor, tf.Tensor];
  const { keys, values, nulls } = withNulls(params.nullKeyValue, ownKeys, ownValues);
  const q = tf.mul(unit(query), params.queryScale);
  const k = tf.mul(unit(keys), params.keyScale);
  let scores: tf.Tensor = tf.mul(tf.matMul(q, k, false, true), gain); // [B, G, N, n + M]
  if (bias !== undefined) scores = tf.add(scores, tf.pad(bias, [[0, 0], [0, 0], [nulls, 0]])); // biome-ignore format: one row per axis
  if (causal) scores = tf.add(scores, tf.tensor2d(futureHidden(tokens, nulls), [tokens, nulls + tokens]));
  const mixed = tf.matMul(tf.softmax(scores), values);
  return linear(params.output, tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, tokens, width]) as tf.Tensor3D);
}

function withNulls(nullKeyValue: tf.Tensor | undefined, keys: tf.Tensor, values: tf.Tensor) {
  if (nullKeyValue === undefined) return { keys, values, nulls: 0 };
  const [batch, heads, , size] = keys.shape as [number, number, number, number];
  const nulls = nullKeyValue.shape[1]! / 2;
  const pairs = tf.reshape(nullKeyValue, [1, heads, nulls, 2, size]);
  const part = (which: number) => {
    const one = tf.reshape(tf.slice(pairs, [0, 0, 0, which, 0], [-1, -1, -1, 1, -1]), [1, heads, nulls, size]);
    return tf.tile(one, [batch, 1, 1, 1]);
  };
  return { keys: tf.concat([part(0), keys], 2), values: tf.concat([part(1), values], 2), nulls };
}

function futureHidden(tokens: number, nulls: number): Float32Array {
  const seen = nulls + tokens;
  return Float32Array.from({ length: tokens * seen }, (_, at) =>
    (at % seen) - nulls > Math.floor(at / seen) ? -1e9 : 0,
  );
}
