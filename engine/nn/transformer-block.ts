import type { Rng } from "#core/rng.ts";
import { tf } from "../tf.ts";
import type { HostArray } from "../tree.ts";
import { type Attention, attention, initAttention } from "./attention.ts";
import { initLayerNorm, type LayerNorm, layerNorm } from "./layer-norm.ts";
import { initMlp, type Mlp, mlp } from "./mlp.ts";

type Attending<T> = { readonly norm: LayerNorm<T>; readonly attention: Attention<T> };

/** Pre-norm transformer block; with `cross` it also looks at a context. */
export type TransformerBlock<T = HostArray> = {
  readonly self: Attending<T>;
  readonly cross?: Attending<T>;
  readonly norm: LayerNorm<T>;
  readonly mlp: Mlp<T>;
};

export type TransformerBlockConfig = {
  readonly width: number;
  readonly heads: number;
  /** Width inside the mlp; by default four times the width. */
  readonly hidden?: number;
  readonly cross?: boolean;
};

export function initTransformerBlock(rng: Rng, config: TransformerBlockConfig): TransformerBlock {
  const { width, heads, hidden = 4 * width, cross = false } = config;
  const attending = (name: string) => ({
    norm: initLayerNorm(width),
    attention: initAttention(rng.fork(name), { width, heads }),
  });
  return {
    self: attending("self"),
    ...(cross ? { cross: attending("cross") } : {}),
    norm: initLayerNorm(width),
    mlp: initMlp(rng.fork("mlp"), { width, hidden }),
  };
}

/**
 * `x += attend(norm x)`, then `x += attend(norm x, context)` where the block has cross-attention, then `x += mlp(norm x)`
 * (Vaswani et al. 2017, pre-norm as in Radford et al. 2019).
 *
 * @param x f32[B, N, D]
 * @returns f32[B, N, D]
 */
export function transformerBlock(
  params: TransformerBlock<tf.Tensor>,
  x: tf.Tensor3D,
  options: { readonly heads: number; readonly causal?: boolean; readonly context?: tf.Tensor3D },
): tf.Tensor3D {
  const { heads, causal = false, context } = options;
  const { self, cross } = params;
  let y = tf.add(x, attention(self.attention, layerNorm(self.norm, x), { heads, causal })) as tf.Tensor3D;
  if (cross !== undefined && context !== undefined) {
    y = tf.add(y, attention(cross.attention, layerNorm(cross.norm, y), { heads, context }));
  }
  return tf.add(y, mlp(params.mlp, layerNorm(params.norm, y)));
}
