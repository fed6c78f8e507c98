/** @file Where gradients go and where they stop. */
import { tf } from "../tf.ts";

/** The same values, cut off from what they were computed from. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const engine = tf.engine();
  // The same data under a new tensor: the tape, which knows tensors, does not lead back.
  engine.backend.incRef(x.dataId);
  return engine.makeTensorFromTensorInfo({ dataId: x.dataId, shape: x.shape, dtype: x.dtype }) as T;
}

/** `x + stopGradient(value - x)`: exactly the values of `value`, with the gradient of `x` (Bengio et al. 2013). */
export function straightThrough<T extends tf.Tensor>(x: T, value: T): T {
  const fixed = stopGradient(value);
  const pass = tf.customGrad(() => ({ value: tf.clone(fixed), gradFunc: (dy: tf.Tensor) => dy }));
  return pass(x) as T;
}
