import { ConfigError, ShapeError } from "#core/errors.ts";
import type { Rng } from "#core/rng.ts";
import { tf } from "../tf.ts";
import { describeArray, type HostArray } from "../tree.ts";
import { initLinear, type Linear, linear } from "./linear.ts";

export type Attention<T = HostArray> = {
  readonly query: Linear<T>;
  readonly key: Linear<T>;
  readonly value: Linear<T>;
  readonly output: Linear<T>;
};

export type AttentionOptions = {
  readonly heads: number;
  /** Each token sees itself and those before it; with a longer context, the tokens are its last ones. */
  readonly causal?: boolean;
  /** f32[B, M, D] what is looked at; by default the tokens themselves. */
  readonly context?: tf.Tensor3D;
  /** bool, broadcast to [B, G, N, M]: true where a token may look. */
  readonly mask?: tf.Tensor;
};

/** Added to scores that must not count: after the softmax nothing of them is left in float32. */
const hidden = -1e9;

export function initAttention(rng: Rng, { width, heads }: { width: number; heads: number }): Attention {
  if (width % heads !== 0) {
    throw new ConfigError(
      `attention: the width must be a multiple of the heads, got width ${width} and ${heads} heads.`,
    );
  }
  const project = (name: string, bias = true) => initLinear(rng.fork(name), { inputs: width, outputs: width, bias });
  // A bias of the keys adds the same to all scores of a row: the softmax takes it away again.
  return { query: project("query"), key: project("key", false), value: project("value"), output: project("output") };
}

/** f32[1, 1, N, M]: 0 where row n may see column m, else `hidden`. */
function causalBias(tokens: number, seen: number): tf.Tensor4D {
  const bias = new Float32Array(tokens * seen);
  for (let row = 0; row < tokens; row++) {
    for (let column = row + 1 + seen - tokens; column < seen; column++) bias[row * seen + column] = hidden;
  }
  return tf.tensor4d(bias, [1, 1, tokens, seen]);
}

/**
 * Multi-head scaled dot-product attention: `softmax(Q Kᵀ / √d + bias) V` (Vaswani et al. 2017, eq. 1).
 *
 * @param x f32[B, N, D]
 * @returns f32[B, N, D]
 * @throws ShapeError when `x` and `context` differ in B or D, or D is not a multiple of the heads
 */
export function attention(params: Attention<tf.Tensor>, x: tf.Tensor3D, options: AttentionOptions): tf.Tensor3D {
  const { heads, causal = false, context = x, mask } = options;
  const [batch, tokens, width] = x.shape;
  const seen = context.shape[1];
  if (context.shape[0] !== batch || context.shape[2] !== width) {
    throw new ShapeError(`attention: ${describeArray(x)} cannot look at a context ${describeArray(context)}.`);
  }
  if (width % heads !== 0) throw new ShapeError(`attention: width ${width} is not a multiple of ${heads} heads.`);

  const split = (projected: tf.Tensor, count: number) =>
    tf.transpose(tf.reshape(projected, [batch, count, heads, width / heads]), [0, 2, 1, 3]); // [B, G, count, d]
  const query = split(linear(params.query, x), tokens);
  const key = split(linear(params.key, context), seen);
  const value = split(linear(params.value, context), seen);

  let scores: tf.Tensor = tf.mul(tf.matMul(query, key, false, true), Math.sqrt(heads / width)); // [B, G, N, M]
  if (causal) scores = tf.add(scores, causalBias(tokens, seen));
  if (mask !== undefined) scores = tf.add(scores, tf.mul(tf.sub(1, tf.cast(mask, "float32")), hidden));
  const mixed = tf.matMul(tf.softmax(scores), value); // [B, G, N, d]
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), x.shape) as tf.Tensor3D; // [B, N, D]
  return linear(params.output, joined);
}
