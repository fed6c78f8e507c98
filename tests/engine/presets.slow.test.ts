import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { deserialize } from "node:v8";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type ExecutorOptions } from "#engine/index.ts";
import { findEngine } from "./executors/installed-engines.ts";
import { divergence, presetTrainings, runTraining, type TrainingTrace } from "./preset-trainings.ts";
import { temporaryFolder } from "./small-training.ts";

const steps = 20;
const oracleBatch = 2;
const tolerance = { loss: 1e-4, weights: 5e-3 };

const native = await Promise.all(
  (["tensorflow", "xla"] as const).map(async (kind) => ({ kind, ...(await findEngine(kind)) })),
);
const engines: ExecutorOptions[] = [
  { kind: "onnxruntime" },
  ...native.flatMap(({ kind, cacheFolder }) => (cacheFolder === undefined ? [] : [{ kind, cacheFolder }])),
];

async function trace(engine: ExecutorOptions, name: string): Promise<TrainingTrace> {
  const executor = await createExecutor({ ...engine, threads: 2 });
  try {
    return await runTraining(presetTrainings(oracleBatch).find((training) => training.name === name)!, executor, steps);
  } finally {
    await executor.dispose();
  }
}

const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const script = fileURLToPath(new URL("./train-oracle.ts", import.meta.url));

function oracleTrace(name: string): TrainingTrace {
  const file = join(temporaryFolder(), "trace");
  execFileSync(process.execPath, ["--import", loader, script, name, String(oracleBatch), String(steps), file]);
  return deserialize(readFileSync(file)) as TrainingTrace;
}

describe.each(presetTrainings(oracleBatch).map(({ name }) => name))("20 steps of %s", (name) => {
  let oracle: TrainingTrace;
  beforeAll(() => {
    oracle = oracleTrace(name);
  });

  it("lower the loss or at least move the weights", () => {
    expect(new Set(oracle.losses).size).toBe(steps);
    const [path, { data }] = [...oracle.after][0]!;
    expect(data).not.toEqual(oracle.before.get(path)!.data);
  });

  it.each(engines.map(({ kind }) => kind))("give the oracle's losses and weights on %s", async (kind) => {
    const got = await trace(engines.find((engine) => engine.kind === kind)!, name);
    expect(got.losses).toBeAllClose(oracle.losses, { absolute: 0, relative: tolerance.loss });
    expect(divergence(got, oracle)).toBeLessThan(tolerance.weights);
  });

  for (const { kind, cacheFolder, reason } of native) {
    if (cacheFolder === undefined) it.skip(`on ${kind} (skipped: ${reason})`, () => {});
  }
});
