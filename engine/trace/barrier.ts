/**
 * @file A kernel that gives back its first input, but no earlier than the others are there, and that no optimiser looks
 * through: what is computed from its result is computed again, and late.
 */
import * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";

const kernelName = "ArmatureBarrier";

/** The values of `x`, once all of `after` were computed. */
export function barrier<T extends tf.Tensor>(x: T, after: readonly tf.Tensor[]): T {
  const named = Object.fromEntries(after.map((tensor, index) => [`after${index}`, tensor]));
  return tf.engine().runKernel(kernelName, { x, ...named }) as T;
}

export const barrierLowering = {
  [kernelName]: (graph: Graph, { x, ...after }: { x: Value; [name: string]: Value }) =>
    graph.emit("barrier", [x, ...Object.values(after)], {}, x.shape, x.dtype),
};

tf.registerKernel({
  kernelName,
  backendName: "cpu",
  kernelFunc: ({ inputs, backend }) => {
    const x = inputs.x as tf.TensorInfo;
    (backend as tf.KernelBackend).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },
});
