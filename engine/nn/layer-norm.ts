import { tf } from "../tf.ts";
import { filled, type HostArray } from "../tree.ts";
import { checkWidth } from "./check-width.ts";

/** `weight` f32[D] scales and `bias` f32[D] shifts the normalised values. */
export type LayerNorm<T = HostArray> = { readonly weight: T; readonly bias: T };

const epsilon = 1e-5;

export const initLayerNorm = (width: number): LayerNorm => ({ weight: filled([width], 1), bias: filled([width], 0) });

/** `(x - mean) / sqrt(variance + 1e-5)` over the last axis; its gradient needs only the result and the deviations. */
const standardize = tf.customGrad((...args) => {
  const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)); // [..., 1]
  const value = tf.mul(centred, inverse);
  save([value, inverse]);
  const gradFunc = (dy: tf.Tensor, [y, scale]: tf.Tensor[]) => {
    const along = tf.mul(y!, tf.mean(tf.mul(dy, y!), -1, true));
    return tf.mul(scale!, tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along));
  };
  return { value, gradFunc };
});

/**
 * Normalises each vector of the last axis (Ba et al. 2016, eq. 4).
 *
 * @param x f32[..., D]
 * @returns f32[..., D]
 * @throws ShapeError when the last axis is not D
 */
export function layerNorm<T extends tf.Tensor>({ weight, bias }: LayerNorm<tf.Tensor>, x: T): T {
  checkWidth("layerNorm", x, weight.shape[0]!);
  return tf.add(tf.mul(standardize(x), weight), bias) as T;
}
