import type { Rng } from "#core/rng.ts";
import { tf } from "../tf.ts";
import type { HostArray } from "../tree.ts";
import { initLinear, type Linear, linear } from "./linear.ts";

export type Mlp<T = HostArray> = { readonly up: Linear<T>; readonly down: Linear<T> };

export const initMlp = (rng: Rng, { width, hidden }: { width: number; hidden: number }): Mlp => ({
  up: initLinear(rng.fork("up"), { inputs: width, outputs: hidden }),
  down: initLinear(rng.fork("down"), { inputs: hidden, outputs: width }),
});

/** `x Φ(x)` with the exact normal distribution function, `Φ(x) = (1 + erf(x / √2)) / 2` (Hendrycks & Gimpel 2016). */
export const gelu = tf.customGrad((...args) => {
  const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
  const share = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
  save([x, share]);
  const gradFunc = (dy: tf.Tensor, [input, cumulative]: tf.Tensor[]) => {
    const density = tf.mul(tf.exp(tf.mul(tf.square(input!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return tf.mul(dy, tf.add(cumulative!, tf.mul(input!, density)));
  };
  return { value: tf.mul(x, share), gradFunc };
}) as <T extends tf.Tensor>(x: T) => T;

/** Two linear layers with a GELU between them. @param x f32[..., D] @returns f32[..., D] */
export const mlp = <T extends tf.Tensor>({ up, down }: Mlp<tf.Tensor>, x: T): T => linear(down, gelu(linear(up, x)));
