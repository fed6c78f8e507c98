import { expect, it } from "@jest/globals";
import { tf } from "#engine/index.ts";
import { countFlops } from "#engine/program/flops.ts";
import { traceProgram } from "#engine/trace/trace.ts";

const flops = (compute: (inputs: Record<string, tf.Tensor>) => tf.Tensor | tf.Tensor[], ...shapes: number[][]) => {
  const inputs = Object.fromEntries(shapes.map((shape, i) => ["abc"[i]!, { shape, dtype: "float32" as const }]));
  const outputs = (given: Record<string, tf.Tensor>) =>
    Object.fromEntries([compute(given)].flat().map((tensor, i) => [String(i), tensor]));
  return countFlops(traceProgram((_, given) => ({ outputs: outputs(given) }), { name: "flops", state: {}, inputs }));
};

it.each([
  ["a product", () => flops(({ a, b }) => tf.matMul(a!, b!), [2, 3], [3, 5]), 2 * 2 * 3 * 5],
  ["a transposed product", () => flops(({ a, b }) => tf.matMul(a!, b!, true, true), [3, 2], [5, 3]), 2 * 2 * 3 * 5],
  ["a batch of products", () => flops(({ a, b }) => tf.matMul(a!, b!), [4, 2, 3], [4, 3, 5]), 4 * 2 * 2 * 3 * 5],
  [
    "a convolution",
    () => flops(({ a, b }) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, "same"), [2, 8, 8, 3], [5, 5, 3, 7]),
    2 * (2 * 4 * 4 * 7) * (5 * 5 * 3),
  ],
  [
    "a depthwise convolution",
    () =>
      flops(
        ({ a, b }) => tf.depthwiseConv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, "same"),
        [2, 8, 8, 3],
        [3, 3, 3, 1],
      ),
    2 * (2 * 8 * 8 * 3) * 9,
  ],
  [
    "both gradients of a convolution",
    () =>
      flops(
        ({ a, b, c }) =>
          tf.engine().gradients(() => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, "same"), [a!, b!], c!).grads,
        [2, 8, 8, 3],
        [5, 5, 3, 7],
        [2, 4, 4, 7],
      ),
    2 * 2 * (2 * 4 * 4 * 7) * (5 * 5 * 3),
  ],
  ["work on elements, which does not count", () => flops(({ a }) => tf.exp(tf.add(a!, 1)), [9]), 0],
])("counts %s", (_, count, want) => {
  expect(count()).toBe(want);
});
