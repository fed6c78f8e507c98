import * as tf from "@tensorflow/tfjs";
import { gelu, type HostArray, type LayerNorm, type Linear, layerNorm, linear } from "#engine/index.ts";
import { type Arrays, linearArrays } from "./arrays.ts";
import { type CosineAttention, cosineAttention, gainNorm, initCosineAttention } from "./cosine-attention.ts";
import { initPeg, type Peg, peg } from "./position.ts";

/** `enter` D -> 2 F holds values, then gates; F is two thirds of 4 D (Shazeer 2020). */
export type Geglu<T = HostArray> = {
  readonly norm: LayerNorm<T>;
  readonly enter: Linear<T>;
  readonly leave: Linear<T>;
};

export type PublishedBlock<T = HostArray> = {
  readonly peg: Peg<T>;
  readonly self: CosineAttention<T>;
  readonly cross?: CosineAttention<T>;
  readonly feedForward: Geglu<T>;
};

export type PublishedTransformer<T = HostArray> = {
  readonly blocks: readonly PublishedBlock<T>[];
  /** f32[D]: gain of the last norm. */
  readonly norm: T;
};

export const gegluWidth = (width: number) => Math.floor((4 * 2 * width) / 3);

export type TransformerSize = {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly cross?: boolean;
};

export function initPublishedTransformer(arrays: Arrays, size: TransformerSize): PublishedTransformer {
  const { depth, width, heads, cross = false } = size;
  const inner = gegluWidth(width);
  const block = (own: Arrays): PublishedBlock => ({
    peg: initPeg(own.within("peg"), width),
    self: initCosineAttention(own.within("self"), { width, heads, nulls: 0 }),
    ...(cross ? { cross: initCosineAttention(own.within("cross"), { width, heads, nulls: 2 }) } : {}),
    feedForward: {
      norm: { weight: own.filled([width], 1), bias: own.filled([width], 0) },
      enter: linearArrays(own, "enter", width, 2 * inner, false),
      leave: linearArrays(own, "leave", inner, width, false),
    },
  });
  return {
    blocks: Array.from({ length: depth }, (_, index) => block(arrays.within(`block${index}`))),
    norm: arrays.filled([width], 1),
  };
}

/** `W₂ (gelu(g) ∘ v)` with `[v, g] = W₁ norm(x)`. @param x f32[B, N, D] */
export function geglu({ norm, enter, leave }: Geglu<tf.Tensor>, x: tf.Tensor3D): tf.Tensor3D {
  const [value, gate] = tf.split(linear(enter, layerNorm(norm, x)), 2, -1) as [tf.Tensor3D, tf.Tensor3D];
  return linear(leave, tf.mul(gelu(gate), value) as tf.Tensor3D);
}

export type PublishedTransformerOptions = {
  readonly heads: number;
  /** Lays the tokens f32[B, N, D] out as f32[B', T, h, w, D] for the convolutions, and back. */
  readonly grid: (x: tf.Tensor3D) => tf.Tensor5D;
  readonly ungrid: (x: tf.Tensor5D) => tf.Tensor3D;
  readonly bias?: tf.Tensor3D;
  readonly context?: tf.Tensor3D;
  readonly causal?: boolean;
};

/** Per block `x += peg(x)`, `x += attend(x)`, `x += attend(x, context)`, `x += geglu(x)`; a norm at the end. */
export function publishedTransformer(
  { blocks, norm }: PublishedTransformer<tf.Tensor>,
  tokens: tf.Tensor3D,
  { grid, ungrid, context, ...options }: PublishedTransformerOptions,
): tf.Tensor3D {
  let x = tokens;
  for (const block of blocks) {
    x = tf.add(x, ungrid(peg(block.peg, grid(x))));
    x = tf.add(x, cosineAttention(block.self, x, options));
    if (block.cross && context) x = tf.add(x, cosineAttention(block.cross, x, { heads: options.heads, context }));
    x = tf.add(x, geglu(block.feedForward, x));
  }
  return gainNorm(norm, x);
}
