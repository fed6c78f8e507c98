import type { Rng } from "#core/rng.ts";
import { tf } from "../tf.ts";
import { filled, type HostArray } from "../tree.ts";
import { checkWidth } from "./check-width.ts";
import { normalArray } from "./normal-array.ts";

/** `weight` f32[h, w, I, O] and `bias` f32[O]. */
export type Conv2d<T = HostArray> = { readonly weight: T; readonly bias?: T };

export type Conv2dConfig = {
  /** Side of the square window, or its height and width, pixels. */
  readonly size: number | readonly [number, number];
  readonly inputs: number;
  readonly outputs: number;
  /** Of the weights; by default sqrt(2 / fan-in), which keeps the variance through a ReLU (He et al. 2015, eq. 10). */
  readonly std?: number;
  readonly bias?: boolean;
};

export type Conv2dOptions = {
  readonly stride?: number;
  /** By default "same": the result has ceil(size / stride) rows and columns. */
  readonly padding?: "same" | "valid";
};

export function initConv2d(rng: Rng, { size, inputs, outputs, std, bias = true }: Conv2dConfig): Conv2d {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  const weight = normalArray(rng, [height, width, inputs, outputs], std ?? Math.sqrt(2 / (height * width * inputs)));
  return bias ? { weight, bias: filled([outputs], 0) } : { weight };
}

/**
 * Convolves pictures.
 *
 * @param x f32[B, H, W, I]
 * @returns f32[B, H', W', O]
 * @throws ShapeError when the pictures do not have I channels
 */
export function conv2d(params: Conv2d<tf.Tensor>, x: tf.Tensor4D, options: Conv2dOptions = {}): tf.Tensor4D {
  const { stride = 1, padding = "same" } = options;
  const weight = params.weight as tf.Tensor4D;
  checkWidth("conv2d", x, weight.shape[2]);
  const result = tf.conv2d(x, weight, stride, padding);
  return params.bias === undefined ? result : tf.add(result, params.bias);
}
