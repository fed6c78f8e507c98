import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { z } from "zod";
import { createExecutor, type Executor, flattenTree, type HostArray, type Tree } from "#engine/index.ts";
import { quantizerBatch } from "#lapa/quantizer/batches.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { examineQuantizer } from "#lapa/quantizer/evaluation/examine.ts";
import { seeFeatures } from "#lapa/quantizer/eyes.ts";
import { openFrozenEncoder } from "#lapa/quantizer/frozen-encoder.ts";
import { createQuantizerRunner, quantizerOf } from "#lapa/quantizer/runner.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";
import { withEyes } from "#lapa/quantizer/with-eyes.ts";
import { writeGraphModel } from "./graph-file.ts";
import { movingSquares, smallQuantizer } from "./moving-squares.ts";

const folder = mkdtempSync(join(tmpdir(), "armature-features-"));
const squares = movingSquares();
const source = { frames: squares.frames, pairs: squares.train };
let executor: Executor;
let file: string;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  file = writeGraphModel(folder, { bias: [0.3, -0.3, 0] });
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true, force: true });
});

type Given = z.input<typeof quantizerTrainConfig>["model"];

/** Trains a few steps on moving squares and says what it did. */
async function trainFew(model: Given, steps = 40) {
  const config = quantizerTrainConfig.parse({
    ...{ batch: 16, offsetS: 0.2, augment: 0, polarity: false },
    model: {
      ...smallQuantizer,
      imageEncoder: { file, tokens: 16, width: 3, mean: [0, 0, 0], std: [1, 1, 1] },
      ...model,
    },
  });
  const eyes = await openFrozenEncoder(config.model, executor);
  const step = await createQuantizerStep(config, executor);
  const before = await step.state();
  const losses: { loss: number; features: number; mse: number }[] = [];
  for (let at = 0; at < steps; at++) {
    const batch = quantizerBatch(source, config, at);
    const outputs = await step.run(
      { ...batch, ...(await seeFeatures(config.model, eyes, batch.frames)) },
      { learningRate: 5e-3 },
    );
    losses.push({ loss: outputs.loss!.data[0]!, features: outputs.features?.data[0] ?? 0, mse: outputs.mse!.data[0]! });
  }
  const after = await step.state();
  await step.dispose();
  await eyes.dispose();
  const quantizer = quantizerOf({ id: "", path: "", config, weights: after.parameters, extra: after.extra });
  return { config, before, after, losses, quantizer };
}

describe.each<[string, Given]>([
  ["a frozen encoder's features in and out", { stem: "encoder", target: "encoder" }],
  ["a frozen encoder's features in, pixels out", { stem: "encoder" }],
  ["keypoints in, a frozen encoder's features out", { target: "encoder" }],
  ["patches in, the own averaged encoder's tokens out", { stem: "patches", target: "own" }],
])("a quantizer with %s", (_, model) => {
  it("learns both what codes must predict and what its viewer draws, and names codes", async () => {
    const { losses, quantizer, config } = await trainFew(model, 160);
    // Batches differ: the last ones together say what was learned.
    const mean = (some: typeof losses, name: "loss" | "features" | "mse") =>
      some.reduce((sum, row) => sum + row[name] / some.length, 0);
    const over = (some: typeof losses) => ({
      ...{ loss: mean(some, "loss"), features: mean(some, "features"), mse: mean(some, "mse") },
    });
    const [first, last] = [over(losses.slice(0, 2)), over(losses.slice(-20))];
    expect(last.loss).toBeLessThan(first.loss);
    expect(last.mse).toBeLessThan(first.mse);
    if (config.model.target !== "pixels") expect(last.features).toBeLessThan(0.9 * first.features);
    const codes = await withEyes(quantizer, executor, async (seeing) => {
      const runner = createQuantizerRunner(seeing, executor);
      return runner.encode(squares.frames, squares.heldOut).finally(() => runner.dispose());
    });
    expect(codes.length).toBe(squares.heldOut.length);
    expect(Math.max(...codes)).toBeLessThan(4);
  });
});

describe("the own averaged encoder", () => {
  it("follows the encoder by its decay, and no gradient moves it", async () => {
    const { before, after } = await trainFew({ stem: "patches", target: "own", targetDecay: 0.9 }, 1);
    const leaf = (tree: Tree<HostArray>, path: string) => new Map(flattenTree(tree)).get(path)!.data as Float32Array;
    const paths = flattenTree(before.extra)
      .map(([path]) => path)
      .filter((path) => path.startsWith("target"));
    expect(paths.length).toBeGreaterThan(2);
    for (const path of paths) {
      const own = path.replace("target", "encoder");
      const [old, now] = [leaf(before.parameters, own), leaf(after.extra, path)];
      expect([...leaf(before.extra, path)]).toEqual([...old]);
      // The first step's average sees the weights as they were before the update.
      expect([...now]).toBeAllClose([...old], { absolute: 1e-6 });
    }
    const later = await trainFew({ stem: "patches", target: "own", targetDecay: 0.9 }, 5);
    const path = paths[0]!;
    const [start, end] = [leaf(later.before.extra, path), leaf(later.after.extra, path)];
    expect([...end]).not.toBeAllClose([...start], { absolute: 1e-4 });
    expect([...end]).not.toBeAllClose([...leaf(later.after.parameters, path.replace("target", "encoder"))], {
      absolute: 1e-4,
    });
  });
});

describe("a quantizer with frozen eyes", () => {
  it("is examined through them, and says so when they are shut", async () => {
    const { quantizer } = await trainFew({ stem: "encoder" }, 3);
    const options = { ...squares, executor, most: 64, inverseModelSteps: 5 };
    const found = await withEyes(quantizer, executor, (seeing) => examineQuantizer(seeing, options));
    expect(found.probes).toHaveLength(7);
    await expect(examineQuantizer(quantizer, options)).rejects.toThrow("was not opened");
  });
});
