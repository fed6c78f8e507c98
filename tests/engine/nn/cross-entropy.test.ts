import { describe, expect, it } from "@jest/globals";
import { compile, createExecutor, crossEntropy, type tf } from "#engine/index.ts";

const inputs = {
  x: { shape: [4, 3], dtype: "float32" },
  y: { shape: [4], dtype: "int32" },
  m: { shape: [4], dtype: "float32" },
} as const;

async function losses(kind: "cpu" | "onnxruntime"): Promise<number> {
  const executor = await createExecutor({ kind });
  const compiled = await compile(
    (_, { x, y, m }) => ({
      outputs: { loss: crossEntropy(x as tf.Tensor2D, y as tf.Tensor1D, { smoothing: 0.2, mask: m as tf.Tensor }) },
    }),
    { name: "loss", state: {}, inputs, executor },
  );
  const x = Float32Array.from({ length: 12 }, (_, index) => Math.sin(index));
  const { loss } = await compiled.run({ x, y: Int32Array.of(0, 1, 2, 0), m: Float32Array.of(1, 0, 0.5, 1) });
  await executor.dispose();
  return loss!.data[0]!;
}

describe("crossEntropy", () => {
  it("keeps the fractions of smoothed targets in a compiled program, where every array has a type", async () => {
    expect(await losses("onnxruntime")).toBeCloseTo(await losses("cpu"), 5);
    expect(await losses("cpu")).toBeGreaterThan(0.5);
  });
});
