import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  createExecutor,
  type Executor,
  readMetrics,
  type TrainOptions,
  type TrainProgress,
  train,
} from "#engine/index.ts";
import { smallBatch, smallRun, smallTrainStep, temporaryFolder } from "./small-training.ts";

let executor: Executor;
beforeAll(async () => {
  executor = await createExecutor({ kind: "cpu" });
});
afterAll(() => executor.dispose());

async function trainSmall(change: Partial<TrainOptions> = {}, folder = temporaryFolder()) {
  const result = await train({ ...smallRun(await smallTrainStep(executor), folder), ...change });
  return { result, folder };
}

const files = (folder: string) => readdirSync(folder).sort();

describe("training loop", () => {
  it("lowers the loss and leaves a whole run folder", async () => {
    const losses: number[] = [];
    const onProgress = ({ loss }: TrainProgress) => losses.push(loss);
    const { result, folder } = await trainSmall({ steps: 100, logEvery: 40, onProgress });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.5 * mean(losses.slice(0, 10)));
    expect(result).toMatchObject({ step: 100, stopped: "finished", best: undefined });
    const rows = readMetrics(join(folder, "metrics.jsonl"));
    expect(rows.map((row) => row.step)).toEqual([40, 80, 100]);
    expect(rows[2]!.loss).toBe(losses[99]);
    expect(rows[0]).toHaveProperty("largest");
    expect(rows[0]).not.toHaveProperty("rows");
    expect(files(folder).filter((name) => !name.startsWith("events."))).toEqual([
      "checkpoints",
      "config.json",
      "manifest.json",
      "metrics.jsonl",
    ]);
    expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))).toEqual({ width: 16 });
    expect(files(join(folder, "checkpoints"))).toEqual(["step-000100"]);
  });

  it("asks for every batch once and in order, ahead of its use", async () => {
    const asked: number[] = [];
    const askedAtStep: number[] = [];
    await trainSmall({
      steps: 5,
      prefetch: 2,
      batchAt: (index) => {
        asked.push(index);
        return smallBatch(index);
      },
      onOutputs: () => askedAtStep.push(asked.length),
    });
    expect(asked).toEqual([0, 1, 2, 3, 4]);
    expect(askedAtStep).toEqual([3, 4, 5, 5, 5]);
  });

  it("reports progress with rates, the time left and the share of data", async () => {
    const seen: TrainProgress[] = [];
    let nowNs = 0n;
    const clock = { nowNs: () => (nowNs += 250_000_000n), sleep: async () => {} };
    await trainSmall({ steps: 4, clock, onProgress: (progress) => seen.push(progress) });
    // The clock is read at the start and the end of each step: 0.25 s per step.
    expect(seen[1]).toMatchObject({ step: 2, steps: 4, stepsPerSecond: 4, samplesPerSecond: 32, secondsLeft: 0.5 });
    expect(seen[1]!.dataShare).toBeGreaterThan(0.5);
    // 8 rows, (3 x 16 + 16 x 2) weights: forward twice that, backward again for weights and, in the second layer, rows.
    expect(seen[1]!.teraflops).toBeCloseTo((4 * 2 * 8 * (48 * 2 + 32 * 3)) / 1e12, 18);
  });

  it("keeps the newest checkpoints and the best", async () => {
    const losses = [3, 1, 2, 4, 5];
    const { result, folder } = await trainSmall({
      checkpointEvery: 2,
      keep: 2,
      evaluation: {
        every: 2,
        measure: async () => ({ loss: losses.shift()! }),
        best: { metric: "loss", mode: "min" },
      },
    });
    expect(result.best?.step).toBe(4);
    expect(files(join(folder, "checkpoints"))).toEqual(["best.json", "step-000004", "step-000008", "step-000010"]);
    expect(readMetrics(join(folder, "metrics.jsonl")).map((row) => row["eval/loss"] ?? null)).toEqual([
      3,
      1,
      2,
      4,
      null,
      5,
    ]);
  });

  it("stops early when patience ends, and a resumed run remembers how much is left", async () => {
    const losses = [1, 2, 3, 4];
    const evaluation = {
      every: 2,
      measure: async () => ({ loss: losses.shift()! }),
      best: { metric: "loss", mode: "min", patience: 2 },
    } as const;
    const { result, folder } = await trainSmall({ evaluation, steps: 4, checkpointEvery: 2 });
    expect(result).toMatchObject({ step: 4, stopped: "finished" });
    const resumed = await trainSmall({ evaluation, steps: 20, resume: true }, folder);
    expect(resumed.result).toMatchObject({ step: 6, stopped: "early" });
  });

  it("saves and returns when it is aborted", async () => {
    const stop = new AbortController();
    const onProgress = ({ step }: TrainProgress) => step === 3 && stop.abort();
    const { result, folder } = await trainSmall({ signal: stop.signal, onProgress });
    expect(result).toMatchObject({ step: 3, stopped: "aborted" });
    expect(files(join(folder, "checkpoints"))).toEqual(["step-000003"]);
  });

  it("stops at a loss that is not a number and names step, batch and last good checkpoint", async () => {
    const batchAt = (index: number) => {
      const batch = smallBatch(index);
      if (index === 7) batch.x[0] = Number.NaN;
      return batch;
    };
    const folder = temporaryFolder();
    await expect(trainSmall({ batchAt, checkpointEvery: 5 }, folder)).rejects.toThrow(
      /^train "small": step 8 gave loss NaN .*\(batch [0-9a-f]{12}, learning rate 0.03\)\. The last good checkpoint is .*step-000005\./,
    );
    expect(files(join(folder, "checkpoints"))).toEqual(["step-000005"]);
  });

  it("stops at an exploding loss", async () => {
    const batchAt = (index: number) => {
      const batch = smallBatch(index);
      if (index === 25) batch.y.fill(1e3);
      return batch;
    };
    await expect(trainSmall({ batchAt, steps: 40 })).rejects.toThrow(/step 26 .*more than 100 times the first losses/);
  });

  it("passes on what the data source throws, and lets the folder go", async () => {
    const folder = temporaryFolder();
    const batchAt = (index: number) => {
      if (index === 3) throw new Error("clip 12 cannot be read");
      return smallBatch(index);
    };
    await expect(trainSmall({ batchAt }, folder)).rejects.toThrow("clip 12 cannot be read");
    expect(existsSync(join(folder, "lock"))).toBe(false);
    await expect(trainSmall({}, folder)).resolves.toBeDefined();
  });

  it("ends when the engine dies, and goes on from the last checkpoint", async () => {
    const folder = temporaryFolder();
    const onnx = (await createExecutor({ kind: "onnxruntime", threads: 1 })) as Executor & { pid: number };
    const onProgress = ({ step }: TrainProgress) => step === 7 && process.kill(onnx.pid, "SIGKILL");
    const dying = train({ ...smallRun(await smallTrainStep(onnx), folder), checkpointEvery: 3, onProgress });
    await expect(dying).rejects.toThrow(/process ended \(signal SIGKILL\).* go on from the last checkpoint/);
    expect(existsSync(join(folder, "lock"))).toBe(false);
    const asked: number[] = [];
    const batchAt = (index: number) => {
      asked.push(index);
      return smallBatch(index);
    };
    await trainSmall({ batchAt, resume: true }, folder);
    expect(asked).toEqual([6, 7, 8, 9]);
  });

  it("refuses a folder that holds a run unless it resumes", async () => {
    const { folder } = await trainSmall();
    await expect(trainSmall({}, folder)).rejects.toThrow(/holds a run of 10 steps already\. Add --resume/);
  });

  it("refuses to resume with other data or another model", async () => {
    const { folder } = await trainSmall();
    await expect(trainSmall({ resume: true, dataHash: "other" }, folder)).rejects.toThrow(
      /began with data points, got other/,
    );
    await expect(trainSmall({ resume: true, seed: 1 }, folder)).rejects.toThrow(/began with seed 0, got 1/);
    const other = await smallTrainStep(executor, {}, { emaDecay: 0.9 });
    await expect(train({ ...smallRun(other, folder), resume: true, steps: 12 })).rejects.toThrow(
      /missing: ema\.first\.weight/,
    );
  });

  it("says which settings are others than when the run began", async () => {
    const { folder } = await trainSmall({ config: { model: { width: 16, depth: 2 }, steps: 10 } });
    const lines: string[] = [];
    const log = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(`! ${line}`) };
    const config = { model: { width: 16, depth: 3 }, steps: 12, seed: 1 };
    await trainSmall({ resume: true, steps: 12, config, log }, folder);
    expect(lines).toEqual([
      `${folder}: goes on after step 10.`,
      `! ${folder}: the configuration has changed: model.depth, steps, seed.`,
    ]);
    expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))).toEqual(config);
  });

  it("averages gradients over several batches and counts updates as steps", async () => {
    const folder = temporaryFolder();
    const step = await smallTrainStep(executor, { accumulate: 2 });
    const asked: number[] = [];
    const batchAt = (index: number) => {
      asked.push(index);
      return smallBatch(index);
    };
    const result = await train({ ...smallRun(step, folder), batchAt, steps: 3 });
    expect(result.step).toBe(3);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await step.state()).optimizer.updates.data).toEqual(Int32Array.of(3));
  });

  it("rewinds metrics to the checkpoint that it goes on from", async () => {
    const { folder } = await trainSmall({ logEvery: 2 });
    const path = join(folder, "metrics.jsonl");
    writeFileSync(path, `${readFileSync(path, "utf8")}{"step":12,"loss":1}\n{"step":14,"lo`);
    await trainSmall({ resume: true, steps: 12, logEvery: 2 }, folder);
    expect(readMetrics(path).map((row) => row.step)).toEqual([2, 4, 6, 8, 10, 12]);
  });
});
