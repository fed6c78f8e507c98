/**
 * @file One worker of a small data-parallel training, as TF_CONFIG says: worker.ts FOLDER STEPS CACHE [pause ms per step].
 * Prints each step's loss, and at the end a digest of all its state.
 */
import { createHash } from "node:crypto";
import { createExecutor, flattenTree, type HostArray, readCluster, type Tree, train } from "#engine/index.ts";
import { smallBatch, smallRun, smallTrainStep } from "../small-training.ts";

const [folder, steps, cacheFolder, pause = "0"] = process.argv.slice(2) as [string, string, string, string?];
const abort = new AbortController();
process.on("SIGTERM", () => abort.abort());
try {
  const cluster = readCluster();
  const executor = await createExecutor({
    kind: "tensorflow",
    threads: 1,
    cacheFolder,
    cluster: cluster && { ...cluster, startLimitMs: 60_000 },
  });
  const step = await smallTrainStep(executor, { weightDecay: 0.01, clipNorm: 1 }, { emaDecay: 0.99 });
  const result = await train({
    ...smallRun(step, folder),
    steps: Number(steps),
    checkpointEvery: 5,
    resume: true,
    signal: abort.signal,
    batchAt: async (index) => {
      await new Promise((resolve) => setTimeout(resolve, Number(pause)));
      return smallBatch(index);
    },
    onProgress: ({ step: done, loss }) => process.stdout.write(`${JSON.stringify({ step: done, loss })}\n`),
  });
  const hash = createHash("sha256");
  for (const [path, { data }] of flattenTree((await step.state()) as unknown as Tree<HostArray>)) {
    hash.update(path).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  process.stdout.write(`${JSON.stringify({ stopped: result.stopped, at: result.step, digest: hash.digest("hex") })}\n`);
  await executor.dispose();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
