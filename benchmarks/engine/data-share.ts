/** @file The share of a training step's time in which the engine waits for data, with the product's own loader. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "#core/rng.ts";
import { constant, createExecutor, type EngineKind, train } from "#engine/index.ts";
import { type Frames, quantizerBatch, quantizerPresets, quantizerTrainConfig } from "#lapa/quantizer/index.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";

/** Clips of noise in memory: reading them costs what reading the frame cache costs. */
function noiseFrames(size: number, clips: number, length: number): Frames {
  const rng = createRng("noise");
  const pixels = size * size * 3;
  const all = Uint8Array.from({ length: clips * length * pixels }, () => rng.integer(256));
  return {
    size,
    clips: Array.from({ length: clips }, (_, index) => ({ path: `clip-${index}`, length })) as never,
    read(clip, frame, into, offset) {
      const start = (clip * length + frame) * pixels;
      into.set(all.subarray(start, start + pixels), offset);
    },
  };
}

export async function measureDataShare(kind: EngineKind, threads: number, steps: number): Promise<number> {
  const preset = quantizerTrainConfig.parse(quantizerPresets.tiny);
  const config = { ...preset, model: { ...preset.model, groundingDims: 0 } };
  const frames = noiseFrames(config.model.imageSize, 8, 16);
  const pairs = {
    clip: Int32Array.from({ length: 120 }, (_, index) => index % 8),
    first: Int32Array.from({ length: 120 }, (_, index) => Math.floor(index / 8)),
    second: Int32Array.from({ length: 120 }, (_, index) => Math.floor(index / 8) + 1),
    length: 120,
  };
  const executor = await createExecutor({ kind, threads });
  const step = await createQuantizerStep(config, executor);
  const folder = mkdtempSync(join(tmpdir(), "armature-share-"));
  let share = 1;
  await train({
    step,
    batchAt: (index) => quantizerBatch({ frames, pairs: pairs as never }, config, index),
    batchSize: config.batch,
    steps,
    learningRate: constant(1e-4),
    folder: join(folder, "run"),
    config: {},
    command: "bench train-step",
    engine: executor.kind,
    seed: 0,
    dataHash: "noise",
    checkpointEvery: steps,
    onProgress: ({ dataShare }) => {
      share = dataShare;
    },
  });
  await executor.dispose();
  rmSync(folder, { recursive: true, force: true });
  return share;
}
