import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { z } from "zod";
import { createExecutor, type Executor } from "#engine/index.ts";
import { quantizerBatch } from "#lapa/quantizer/batches.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { createQuantizerRunner, quantizerOf } from "#lapa/quantizer/runner.ts";
import { completeQuantizerConfig } from "#lapa/quantizer/train.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";
import { movingSquares, smallQuantizer } from "./moving-squares.ts";

const squares = movingSquares();
const source = { frames: squares.frames, pairs: squares.train };
const configOf = ({ model = {}, ...given }: z.input<typeof quantizerTrainConfig> = {}) =>
  completeQuantizerConfig(
    quantizerTrainConfig.parse({
      batch: 8,
      offsetS: 0.2,
      augment: 0,
      polarity: false,
      ...given,
      model: { ...smallQuantizer, ...model },
    }),
    0,
  );
const fsq = { quantization: "fsq", fsqLevels: [3, 3], codebookSize: 9, codeWidth: 2 } as {
  quantization: "fsq";
  fsqLevels: number[];
  codebookSize: number;
  codeWidth: number;
};

let executor: Executor;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
});
afterAll(() => executor.dispose());

const variants: [string, z.input<typeof quantizerTrainConfig>][] = [
  ["finite scalars", { model: fsq }],
  ["a codebook per position", { model: { codebooks: "per-position", codesPerStep: 2 } }],
  [
    "a codebook per position and noise",
    { model: { codebooks: "per-position", codesPerStep: 2, quantization: "nsvq" } },
  ],
  ["several offsets", { offsetsS: [0.1] }],
  ["several offsets in the published network", { offsetsS: [0.1], model: { architecture: "published", codeWidth: 4 } }],
  ["a reversal term", { model: { antisymmetric: false, reversalWeight: 1, stem: "patches" } }],
  ["cut-outs, half of them backwards", { crop: 0.2, backwards: true }],
];

describe.each(variants)("a quantizer with %s", (_, given) => {
  it("trains through the engine, learns a batch and names codes below K", async () => {
    const config = configOf(given);
    const step = await createQuantizerStep(config, executor);
    const losses: number[] = [];
    for (let at = 0; at < 30; at++) {
      const outputs = await step.run(quantizerBatch(source, config, at % 2), { learningRate: 5e-3 });
      losses.push(outputs.loss!.data[0]!);
    }
    const { parameters, extra } = await step.state();
    await step.dispose();
    // The same two batches at the start and at the end.
    const sum = (some: readonly number[]) => some.reduce((total, loss) => total + loss, 0);
    expect(sum(losses.slice(-2))).toBeLessThan(sum(losses.slice(0, 2)));
    const runner = createQuantizerRunner(
      quantizerOf({ id: "", path: "", config, weights: parameters, extra }),
      executor,
    );
    const codes = await runner.encode(squares.frames, squares.heldOut);
    await runner.dispose();
    expect(codes.length).toBe(squares.heldOut.length * config.model.codesPerStep);
    expect(Math.min(...codes)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...codes)).toBeLessThan(config.model.codebookSize);
  });
});
