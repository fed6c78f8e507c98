import type { Executor } from "#engine/index.ts";
import { quantizerBatch } from "#lapa/quantizer/batches.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { type Quantizer, quantizerOf } from "#lapa/quantizer/runner.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";
import { movingSquares, smallQuantizer } from "./moving-squares.ts";

/** Trains a small quantizer on moving squares for a few steps. */
export async function trainOnSquares(changes: object, steps: number, executor: Executor): Promise<Quantizer> {
  const squares = movingSquares();
  const config = quantizerTrainConfig.parse({
    ...{ batch: 32, augment: 0, polarity: false, learningRate: 5e-3, steps, ...changes },
    model: { ...smallQuantizer, ...(changes as { model?: object }).model },
  });
  const step = await createQuantizerStep(config, executor);
  const source = { frames: squares.frames, pairs: squares.train };
  for (let at = 0; at < steps; at++) await step.run(quantizerBatch(source, config, at), { learningRate: 5e-3 });
  const { parameters, extra } = await step.state();
  await step.dispose();
  return quantizerOf({ id: "squares", path: "memory", config, weights: parameters, extra });
}
