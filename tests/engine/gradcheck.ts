/** @file Gradients against finite differences, computed by the oracle. */

import type { Rng } from "#core/rng.ts";
import { type HostArray, tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";

export type Arrays = Readonly<Record<string, HostArray>>;
type Tensors = Record<string, tf.Tensor>;

/** Fixed weights that make one number of a result, so that its slope tells every element apart. */
export const weigh = (tensor: tf.Tensor): tf.Scalar => {
  const weights = Float32Array.from({ length: tensor.size }, (_, index) => Math.cos(index + 1));
  return tf.sum(tf.mul(tensor, tf.tensor(weights, tensor.shape)));
};

const toTensors = (arrays: Arrays): Tensors =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, [...shape], dtype)]),
  );

const evaluate = (fn: (inputs: Tensors) => tf.Scalar, arrays: Arrays): number =>
  withBackend("cpu", () => tf.tidy(() => fn(toTensors(arrays)).dataSync()[0]!));

/** Moves all float arrays by `step` along `directions`. */
function moved(arrays: Arrays, directions: Readonly<Record<string, Float32Array>>, step: number): Arrays {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => {
      const direction = directions[name];
      if (direction === undefined) return [name, array];
      return [name, { ...array, data: Float32Array.from(array.data, (x, index) => x + step * direction[index]!) }];
    }),
  );
}

/**
 * Slope of `fn` along a random direction of all its float inputs: measured by central differences, and as the gradients
 * predict it.
 */
export function slopes(fn: (inputs: Tensors) => tf.Scalar, arrays: Arrays, rng: Rng, step = 1e-2): [number, number] {
  const names = Object.keys(arrays).filter((name) => arrays[name]!.dtype === "float32");
  const directions = Object.fromEntries(
    names.map((name) => [name, Float32Array.from(arrays[name]!.data, () => rng.normal())]),
  );
  const at = (by: number) => evaluate(fn, moved(arrays, directions, by));
  const measured = (at(step) - at(-step)) / (2 * step);
  const predicted = withBackend("cpu", () =>
    tf.tidy(() => {
      const inputs = toTensors(arrays);
      const wanted = names.map((name) => inputs[name]!);
      const { grads } = tf.engine().gradients(() => fn(inputs), wanted);
      return names.reduce((sum, name, index) => {
        const gradient = grads[index]!.dataSync();
        return sum + directions[name]!.reduce((part, d, i) => part + d * gradient[i]!, 0);
      }, 0);
    }),
  );
  return [measured, predicted];
}
