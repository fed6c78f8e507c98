/** @file Where first weights come from: drawn at random as PyTorch's layers do, or their shapes alone, for counting. */
import type { Rng } from "#core/rng.ts";
import { filled, type HostArray, normalArray, sizeOf } from "#engine/index.ts";

export type Arrays = {
  /** Uniform in ±1 / √fanIn: weights and biases of PyTorch's linear and convolution layers. */
  uniform(name: string, shape: readonly number[], fanIn: number): HostArray;
  normal(name: string, shape: readonly number[]): HostArray;
  filled(shape: readonly number[], value: number): HostArray;
  /** The same for a part of the network. */
  within(name: string): Arrays;
};

export function drawnArrays(rng: Rng): Arrays {
  return {
    uniform(name, shape, fanIn) {
      const draw = rng.fork(name);
      const bound = 1 / Math.sqrt(fanIn);
      const data = new Float32Array(sizeOf(shape));
      for (let index = 0; index < data.length; index++) data[index] = draw.uniform(-bound, bound);
      return { shape, dtype: "float32", data };
    },
    normal: (name, shape) => normalArray(rng.fork(name), shape, 1),
    filled,
    within: (name) => drawnArrays(rng.fork(name)),
  };
}

const empty = new Float32Array(0);

/** Arrays without numbers: what a network of any size is made of, at no cost. */
export const shapesOnly: Arrays = {
  uniform: (_, shape) => ({ shape, dtype: "float32", data: empty }),
  normal: (_, shape) => ({ shape, dtype: "float32", data: empty }),
  filled: (shape) => ({ shape, dtype: "float32", data: empty }),
  within: () => shapesOnly,
};

export function linearArrays(arrays: Arrays, name: string, inputs: number, outputs: number, bias = true) {
  const own = arrays.within(name);
  const weight = own.uniform("weight", [inputs, outputs], inputs);
  return bias ? { weight, bias: own.uniform("bias", [outputs], inputs) } : { weight };
}
