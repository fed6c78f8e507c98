/** @file A kernel that averages a vector over the workers of a run: all that they exchange. */
import * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";

const kernelName = "ArmatureAllMean";

/** The mean over all workers of `x` f32[n]; alone, `x` itself. Has no gradient. */
export const allMean = (x: tf.Tensor1D): tf.Tensor1D => tf.engine().runKernel(kernelName, { x }) as tf.Tensor1D;

export const allMeanLowering = {
  [kernelName]: (graph: Graph, { x }: { x: Value }) => graph.emit("allMean", [x], {}, x.shape, x.dtype),
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
