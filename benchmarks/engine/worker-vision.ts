/**
 * @file One worker of the data-parallel train-step benchmark, as TF_CONFIG says; alone without it. Answers as the Python
 * sides do. Usage: worker-vision.ts SIZE
 */
import { createInterface } from "node:readline";
import { createExecutor, readCluster } from "#engine/index.ts";
import { type VisionSize, visionBatch, visionStep } from "./vision-step.ts";

const size = JSON.parse(process.argv[2]!) as VisionSize;
const executor = await createExecutor({ kind: "tensorflow", threads: 1, cluster: readCluster() });
const step = await visionStep(executor, size);
const batch = visionBatch(size);

process.stdout.write(`${JSON.stringify({ version: executor.reason })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const ms: number[] = [];
  const losses: number[] = [];
  for (let index = 0; index < Number(line); index++) {
    const start = performance.now();
    const { loss } = await step.run(batch, { learningRate: 1e-3 });
    ms.push(performance.now() - start);
    losses.push(loss!.data[0]!);
  }
  process.stdout.write(`${JSON.stringify({ ms, losses, cpuMs: 0 })}\n`);
}
await executor.dispose();
