import { tf } from "../tf.ts";
import type { HostArray } from "../tree.ts";

/** `weight` f32[V, D]. */
export type Embedding<T = HostArray> = { readonly weight: T };

/** The rows of `weight` that `ids` i32[...] name, f32[..., D]. */
export const embedding = ({ weight }: Embedding<tf.Tensor>, ids: tf.Tensor): tf.Tensor =>
  tf.gather(weight, ids as tf.Tensor1D);
