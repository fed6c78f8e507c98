import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import {
  compileTrainStep,
  createExecutor,
  type Executor,
  flattenTree,
  initTransformerBlock,
  recompute,
  type TransformerBlock,
  tf,
  transformerBlock,
} from "#engine/index.ts";

type Blocks = readonly TransformerBlock<tf.Tensor>[];
const depth = 3;

function stepOf(executor: Executor, again: boolean) {
  const layer = (params: TransformerBlock<tf.Tensor>, x: tf.Tensor3D) => transformerBlock(params, x, { heads: 2 });
  const loss = (blocks: Blocks, { x }: { x: tf.Tensor }) => {
    let y = x as tf.Tensor3D;
    for (const block of blocks) y = again ? recompute(layer, block, y) : layer(block, y);
    return { loss: tf.mean(tf.square(y)) };
  };
  return compileTrainStep<Blocks, Record<string, never>, typeof inputs>(loss, {
    name: again ? "recomputing" : "keeping",
    parameters: Array.from({ length: depth }, (_, index) =>
      initTransformerBlock(createRng(index), { width: 8, heads: 2 }),
    ),
    inputs,
    optimizer: {},
    executor,
  });
}
const inputs = { x: { shape: [2, 5, 8], dtype: "float32" } } as const;
const x = Float32Array.from({ length: 80 }, (_, index) => Math.sin(index));

describe.each(["cpu", "onnxruntime"] as const)("recompute on %s", (kind) => {
  it("changes no gradient, and computes the blocks again", async () => {
    const executor = await createExecutor({ kind, threads: 1 });
    const [kept, again] = [await stepOf(executor, false), await stepOf(executor, true)];
    for (let count = 0; count < 2; count++) {
      const [a, b] = [await kept.run({ x }, { learningRate: 0.01 }), await again.run({ x }, { learningRate: 0.01 })];
      expect(Array.from(b.loss!.data)).toBeAllClose(Array.from(a.loss!.data), { relative: 1e-6 });
      expect(Array.from(b.gradNorm!.data)).toBeAllClose(Array.from(a.gradNorm!.data), { relative: 1e-5 });
    }
    const want = flattenTree((await kept.state()).parameters);
    flattenTree((await again.state()).parameters).forEach(([path, leaf], index) => {
      expect(path).toBe(want[index]![0]);
      expect(Array.from(leaf.data)).toBeAllClose(Array.from(want[index]![1].data), { absolute: 1e-5 });
    });
    const softmaxes = (step: typeof kept) => step.compiled.program.nodes.filter(({ op }) => op === "softmax").length;
    expect([softmaxes(kept), softmaxes(again)]).toEqual([depth, 2 * depth]);
    await executor.dispose();
  });
});

it("leaves no tensor behind", async () => {
  const executor = await createExecutor({ kind: "cpu" });
  const step = await stepOf(executor, true);
  await step.run({ x }, { learningRate: 0.01 });
  const before = tf.memory().numTensors;
  await step.run({ x }, { learningRate: 0.01 });
  expect(tf.memory().numTensors).toBe(before);
});
