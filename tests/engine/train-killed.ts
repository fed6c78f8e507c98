/** @file A training process for tests that kill it: `tsx train-killed.ts <folder> <steps>`, resumes what is there. */
import { createExecutor, train } from "#engine/index.ts";
import { smallRun, smallTrainStep } from "./small-training.ts";

const [folder, steps] = process.argv.slice(2) as [string, string];
const executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
const step = await smallTrainStep(executor, { weightDecay: 0.01, clipNorm: 1, accumulate: 2 }, { emaDecay: 0.99 });
await train({
  ...smallRun(step, folder),
  steps: Number(steps),
  checkpointEvery: 7,
  logEvery: 5,
  keep: 2,
  resume: true,
  onProgress: ({ step: done }) => process.stdout.write(`${done}\n`),
});
await executor.dispose();
