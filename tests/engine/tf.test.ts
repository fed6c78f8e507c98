import { expect, it } from "@jest/globals";
import { compile, createExecutor, tf } from "#engine/index.ts";

it("leaves TensorFlow.js as it was, also when no backend had been chosen", async () => {
  const executor = await createExecutor({ kind: "cpu" });
  const inputs = { x: { shape: [2], dtype: "float32" } } as const;
  await compile((_: object, { x }) => ({ outputs: { y: tf.neg(x!) } }), { name: "first", state: {}, inputs, executor });
  expect(tf.getBackend()).toBe("cpu");
  expect(Array.from(tf.add([1, 2], 1).dataSync())).toEqual([2, 3]);
});
