/**
 * @file One block of the decoder, in two makes: `gpt` (layer norm, learned positions, GELU; Radford et al. 2019) and `llama`
 * (RMS norm, rotary positions, gated SiLU, no biases; Touvron et al. 2023), the make of the paper's LWM-7B. Both can go on
 * from keys and values computed before: a prompt is read once, however many tokens follow it.
 */
import * as tf from "@tensorflow/tfjs";
import type { Rng } from "#core/rng.ts";
import {
  type Attention,
  filled,
  type HostArray,
  initLinear,
  initTransformerBlock,
  type Linear,
  layerNorm,
  linear,
  mlp,
  type TransformerBlock,
} from "#engine/index.ts";
import type { BackboneConfig } from "./config.ts";

/** `weight` f32[D] scales the vectors of the last axis after division by their root mean square. */
export type RmsNorm<T = HostArray> = { readonly weight: T };

export type LlamaBlock<T = HostArray> = {
  readonly norm: RmsNorm<T>;
  readonly attention: Attention<T>;
  readonly innerNorm: RmsNorm<T>;
  readonly gate: Linear<T>;
  readonly up: Linear<T>;
  readonly down: Linear<T>;
};

export type DecoderBlock<T = HostArray> = TransformerBlock<T> | LlamaBlock<T>;

/** Keys and values of the tokens that one block has seen, f32[B, G, M, d] each. */
export type Seen = { readonly keys: tf.Tensor4D; readonly values: tf.Tensor4D };

export type BlockOptions = {
  readonly heads: number;
  /** What came before these tokens; none: they are the first. */
  readonly past?: Seen | undefined;
  /** The tokens see each other in both directions; what came before never sees them. */
  readonly open?: boolean;
};

export const hiddenWidth = ({ hidden, width }: BackboneConfig) => (hidden === 0 ? 4 * width : hidden);

export function initDecoderBlock(rng: Rng, config: BackboneConfig): DecoderBlock {
  const { width, heads, block } = config;
  const hidden = hiddenWidth(config);
  if (block === "gpt") return initTransformerBlock(rng, { width, heads, hidden });
  const plain = (name: string, inputs: number, outputs: number) =>
    initLinear(rng.fork(name), { inputs, outputs, bias: false });
  return {
    norm: { weight: filled([width], 1) },
    attention: {
      query: plain("query", width, width),
      key: plain("key", width, width),
      value: plain("value", width, width),
      output: plain("output", width, width),
    },
    innerNorm: { weight: filled([width], 1) },
    gate: plain("gate", width, hidden),
    up: plain("up", width, hidden),
    down: plain("down", hidden, width),
  };
}

/** `x / sqrt(mean(x²) + 1e-6)`, scaled (Zhang & Sennrich 2019). */
export function rmsNorm({ weight }: RmsNorm<tf.Tensor>, x: tf.Tensor3D): tf.Tensor3D {
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6));
  return tf.mul(tf.mul(x, scale), weight);
}

/** Rotations of LWM-7B: slow ones reach far. */
const rotaryBase = 5e7;

/**
 * Turns pairs (i, i + d/2) of each vector by an angle that grows with its place (Su et al. 2021, RoPE).
 *
 * @param x f32[B, G, N, d] @param first place of the first token
 */
function rotate(x: tf.Tensor4D, first: number): tf.Tensor4D {
  const [, , tokens, size] = x.shape;
  const half = size / 2;
  const angles = Float32Array.from({ length: tokens * half }, (_, index) => {
    const place = first + Math.floor(index / half);
    return place * rotaryBase ** (-(index % half) / half);
  });
  const cos = tf.tensor(angles.map(Math.cos), [1, 1, tokens, half]);
  const sin = tf.tensor(angles.map(Math.sin), [1, 1, tokens, half]);
  const [left, right] = tf.split(x, 2, 3) as [tf.Tensor4D, tf.Tensor4D];
  return tf.concat(
    [tf.sub(tf.mul(left, cos), tf.mul(right, sin)), tf.add(tf.mul(right, cos), tf.mul(left, sin))],
    3,
  ) as tf.Tensor4D;
}

/** f32[1, 1, N, M]: 0 where new token n may see token m, else so low that nothing of it is left after the softmax. */
function causalBias(tokens: number, seen: number): tf.Tensor4D {
  const bias = new Float32Array(tokens * seen);
  for (let row = 0; row < tokens; row++) bias.fill(-1e9, row * seen + row + 1 + seen - tokens, (row + 1) * seen);
  return tf.tensor4d(bias, [1, 1, tokens, seen]);
}

function attend(
  params: Attention<tf.Tensor>,
  x: tf.Tensor3D,
  { heads, past, open = false, rotary }: BlockOptions & { readonly rotary: boolean },
): { y: tf.Tensor3D; seen: Seen } {
  const [batch, tokens, width] = x.shape;
  const split = (projected: tf.Tensor) =>
    tf.transpose(tf.reshape(projected, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]) as tf.Tensor4D;
  const before = past?.keys.shape[2] ?? 0;
  const place = (part: tf.Tensor4D) => (rotary ? rotate(part, before) : part);
  const query = place(split(linear(params.query, x))); // [B, G, N, d]
  const key = place(split(linear(params.key, x)));
  const value = split(linear(params.value, x));
  const keys = past ? (tf.concat([past.keys, key], 2) as tf.Tensor4D) : key; // [B, G, M, d]
  const values = past ? (tf.concat([past.values, value], 2) as tf.Tensor4D) : value;
  let scores: tf.Tensor = tf.mul(tf.matMul(query, keys, false, true), Math.sqrt(heads / width)); // [B, G, N, M]
  if (!open && tokens > 1) scores = tf.add(scores, causalBias(tokens, before + tokens));
  const mixed = tf.matMul(tf.softmax(scores), values); // [B, G, N, d]
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), x.shape) as tf.Tensor3D;
  return { y: linear(params.output, joined), seen: { keys, values } };
}

/**
 * Runs new tokens through one block.
 *
 * @param x f32[B, N, D]
 * @returns `y` f32[B, N, D], and everything that was seen, for the tokens that follow
 */
export function decoderBlock(
  params: DecoderBlock<tf.Tensor>,
  x: tf.Tensor3D,
  options: BlockOptions,
): { y: tf.Tensor3D; seen: Seen } {
  if ("self" in params) {
    const { y, seen } = attend(params.self.attention, layerNorm(params.self.norm, x), { ...options, rotary: false });
    const attended = tf.add(x, y) as tf.Tensor3D;
    return { y: tf.add(attended, mlp(params.mlp, layerNorm(params.norm, attended))), seen };
  }
  const { y, seen } = attend(params.attention, rmsNorm(params.norm, x), { ...options, rotary: true });
  const attended = tf.add(x, y) as tf.Tensor3D;
  const inner = rmsNorm(params.innerNorm, attended);
  const gate = linear(params.gate, inner);
  const gated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(params.up, inner)) as tf.Tensor3D;
  return { y: tf.add(attended, linear(params.down, gated)), seen };
}
