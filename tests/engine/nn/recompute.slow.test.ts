import { readFileSync } from "node:fs";
import { expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import {
  compileTrainStep,
  createExecutor,
  type Executor,
  initTransformerBlock,
  recompute,
  type TransformerBlock,
  tf,
  transformerBlock,
} from "#engine/index.ts";

type Blocks = readonly TransformerBlock<tf.Tensor>[];
const inputs = { x: { shape: [8, 128, 64], dtype: "float32" } } as const;

/** Most memory that the engine's process held, MiB, for a stack of blocks. */
async function peakMiB(depth: number, again: boolean): Promise<number> {
  const executor = (await createExecutor({ kind: "onnxruntime", threads: 2 })) as Executor & { pid: number };
  const layer = (params: TransformerBlock<tf.Tensor>, x: tf.Tensor3D) => transformerBlock(params, x, { heads: 4 });
  const loss = (blocks: Blocks, { x }: { x: tf.Tensor }) => {
    let y = x as tf.Tensor3D;
    for (const block of blocks) y = again ? recompute(layer, block, y) : layer(block, y);
    return { loss: tf.mean(tf.square(y)) };
  };
  const step = await compileTrainStep<Blocks, Record<string, never>, typeof inputs>(loss, {
    name: "deep",
    parameters: Array.from({ length: depth }, (_, i) => initTransformerBlock(createRng(i), { width: 64, heads: 4 })),
    inputs,
    optimizer: {},
    executor,
  });
  const x = new Float32Array(8 * 128 * 64).fill(0.1);
  for (let count = 0; count < 2; count++) await step.run({ x }, { learningRate: 1e-3 });
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${executor.pid}/status`, "utf8"))![1]) / 1024;
  await executor.dispose();
  return peak;
}

it("makes deep models need much less memory", async () => {
  const base = await peakMiB(1, false);
  const kept = (await peakMiB(24, false)) - base;
  const again = (await peakMiB(24, true)) - base;
  expect(again).toBeLessThan(0.35 * kept);
});
