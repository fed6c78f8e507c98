import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "@jest/globals";
import { compile, createExecutor, type Executor, tf } from "#engine/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is alive in this process: its resident size is also what files tested before have left, and when V8 tidies up. */
function aliveMiB(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

const residentMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

it("needs no more memory after 100,000 calls than after 20,000, on either side", async () => {
  const executor = (await createExecutor({ kind: "onnxruntime", threads: 1 })) as Executor & { pid: number };
  const step = await compile(
    ({ total }: { total: tf.Tensor }, { x }) => {
      const next = tf.add(total, tf.sum(x!));
      return { state: { total: next }, outputs: { next, x: tf.neg(x!) } };
    },
    {
      name: "many",
      state: { total: { shape: [], dtype: "float32", data: new Float32Array(1) } },
      inputs: { x: { shape: [64], dtype: "float32" } },
      executor,
    },
  );
  const x = new Float32Array(64).fill(1 / 64);
  const call = async (count: number) => {
    for (let index = 0; index < count; index++) await step.run({ x });
    return [aliveMiB(), residentMiB(executor.pid)] as const;
  };
  const early = await call(20_000);
  const late = await call(80_000);
  // A leak of 1 KiB per call would be 78 MiB.
  expect(late[0] - early[0]).toBeLessThan(40);
  expect(late[1] - early[1]).toBeLessThan(20);
  expect((await step.run({ x })).next!.data[0]).toBe(100_001);
  await executor.dispose();
});
