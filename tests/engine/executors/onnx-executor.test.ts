import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { startHost } from "#engine/executors/host/host-process.ts";
import { compile, createExecutor, tf } from "#engine/index.ts";
import { temporaryFolder } from "../small-training.ts";
import { describeProcess } from "./process-contract.ts";

describeProcess({ kind: "onnxruntime" });

it("leaves the state as it was when a run fails", async () => {
  const executor = await createExecutor({ kind: "onnxruntime", threads: 2 });
  const step = await compile<{ total: tf.Tensor }>(
    ({ total }, { at }) => {
      const next = tf.add(total, tf.sum(tf.gather(tf.tensor1d([1, 2, 4]), at as tf.Tensor1D)));
      return { state: { total: next }, outputs: { total: next } };
    },
    {
      name: "looking up",
      state: { total: { shape: [], dtype: "float32", data: Float32Array.of(0) } },
      inputs: { at: { shape: [1], dtype: "int32" } },
      executor,
    },
  );
  await step.run({ at: Int32Array.of(2) });
  await expect(step.run({ at: Int32Array.of(5) })).rejects.toThrow(
    /^onnxruntime: indices element out of data bounds, idx=5 must be within the inclusive range \[-3,2\]/,
  );
  expect((await step.run({ at: Int32Array.of(0) })).total!.data[0]).toBe(5);
  await executor.dispose();
});

it("says why a process cannot start", async () => {
  const program = new URL(`file://${join(temporaryFolder(), "broken-host.mjs")}`);
  writeFileSync(program, 'throw new Error("libonnxruntime.so.1: cannot open shared object file");');
  await expect(startHost({ label: "onnxruntime", program })).rejects.toThrow(
    /^onnxruntime: the engine's process ended \(exit code 1\): Error: libonnxruntime.so.1: cannot open shared object file\./,
  );
});
