import type { Rng } from "#core/rng.ts";
import { tf } from "../tf.ts";
import { filled, type HostArray } from "../tree.ts";
import { checkWidth } from "./check-width.ts";
import { normalArray } from "./normal-array.ts";

/** `weight` f32[I, O] and `bias` f32[O]. */
export type Linear<T = HostArray> = { readonly weight: T; readonly bias?: T };

export type LinearConfig = {
  readonly inputs: number;
  readonly outputs: number;
  /** Of the weights; by default 1 / sqrt(inputs), which keeps the variance. */
  readonly std?: number;
  /** With a bias, which starts at zero; by default true. */
  readonly bias?: boolean;
};

export function initLinear(rng: Rng, { inputs, outputs, std, bias = true }: LinearConfig): Linear {
  const weight = normalArray(rng, [inputs, outputs], std ?? 1 / Math.sqrt(inputs));
  return bias ? { weight, bias: filled([outputs], 0) } : { weight };
}

/**
 * `x W + b` over the last axis.
 *
 * @param x f32[..., I]
 * @returns f32[..., O]
 * @throws ShapeError when the last axis is not I
 */
export function linear<T extends tf.Tensor>({ weight, bias }: Linear<tf.Tensor>, x: T): T {
  const [inputs, outputs] = weight.shape as [number, number];
  checkWidth("linear", x, inputs);
  const rows = x.rank === 2 ? x : tf.reshape(x, [-1, inputs]); // [rows, I]
  const product = tf.matMul(rows as tf.Tensor2D, weight as tf.Tensor2D);
  const result = bias === undefined ? product : tf.add(product, bias);
  return (x.rank === 2 ? result : tf.reshape(result, [...x.shape.slice(0, -1), outputs])) as T;
}
