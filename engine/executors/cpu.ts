/** @file The oracle: runs the function itself, eagerly, on TensorFlow.js's CPU backend. Slow; nothing is traced or fused. */
import { tf, withBackend } from "../tf.ts";
import { matchState } from "../trace/trace.ts";
import { flattenTree, type HostArray, mapTree } from "../tree.ts";
import type { Executor, ExecutorProgram, PrepareTask, StateEntries } from "./executor.ts";

const copy = (array: HostArray): HostArray => ({ ...array, data: array.data.slice() });

const toTensor = ({ data, shape, dtype }: HostArray) => tf.tensor(data, [...shape], dtype);

function toHost(tensor: tf.Tensor): HostArray {
  const dtype = tensor.dtype as HostArray["dtype"];
  return { shape: [...tensor.shape], dtype, data: tensor.dataSync().slice() as HostArray["data"] };
}

function prepareEager({ name, evaluate, state: template, inputs: specs }: PrepareTask): ExecutorProgram {
  let state = new Map(flattenTree(template).map(([path, array]) => [path, copy(array)]));

  const step = (inputs: Readonly<Record<string, HostArray["data"]>>): Record<string, HostArray> => {
    const outputs: Record<string, HostArray> = {};
    tf.tidy(() => {
      const tensors = Object.entries(specs).map(([key, spec]) => {
        const data = inputs[key]!;
        if (spec.dtype !== "uint8") return [key, tf.tensor(data, [...spec.shape], spec.dtype)] as const;
        return [key, tf.tensor(Float32Array.from(data), [...spec.shape], "float32")] as const;
      });
      const result = evaluate(
        mapTree(template, (_, path) => toTensor(state.get(path)!)),
        Object.fromEntries(tensors),
      );
      for (const [key, tensor] of Object.entries(result.outputs)) outputs[key] = toHost(tensor);
      if (result.state !== undefined) {
        const next = matchState(name, template, result.state);
        state = new Map(next.map(([path, tensor]) => [path, toHost(tensor)]));
      }
    });
    return outputs;
  };

  let computeMs = 0;
  return {
    get computeMs() {
      return computeMs;
    },
    run: async (inputs) => {
      const start = performance.now();
      const outputs = withBackend("cpu", () => step(inputs));
      computeMs += performance.now() - start;
      return outputs;
    },
    state: async () => [...state].map(([path, array]) => [path, copy(array)] as const),
    load: async (entries: StateEntries) => {
      state = new Map(entries.map(([path, array]) => [path, copy(array)]));
    },
    dispose: async () => state.clear(),
  };
}

export function createCpuExecutor(reason: string): Executor {
  return {
    kind: "cpu",
    reason,
    precisions: ["float32"],
    prepare: async (task) => prepareEager(task),
    dispose: async () => {},
  };
}
