/** @file A regression small enough for any executor, as a train step and as options for the loop. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "#core/rng.ts";
import {
  compileTrainStep,
  constant,
  type Executor,
  initLinear,
  type Linear,
  linear,
  type OptimizerConfig,
  type Precision,
  type TrainOptions,
  type TrainStep,
  tf,
} from "#engine/index.ts";

export const temporaryFolder = () => mkdtempSync(join(tmpdir(), "armature-engine-"));

type Parameters = { first: Linear<tf.Tensor>; second: Linear<tf.Tensor> };
type Extra = { seen: tf.Tensor };

const smallInputs = {
  x: { shape: [8, 3], dtype: "float32" },
  y: { shape: [8, 2], dtype: "float32" },
} as const;

/** Two layers with a tanh, and a counter of batches as non-gradient state. */
export function smallTrainStep(
  executor: Executor,
  optimizer: OptimizerConfig = { weightDecay: 0.01, clipNorm: 1 },
  options: { emaDecay?: number; trainable?: (path: string) => boolean; precision?: Precision } = {},
): Promise<TrainStep> {
  const rng = createRng("small");
  const loss = (params: Parameters, { x, y }: { x: tf.Tensor; y: tf.Tensor }, extra: Extra) => {
    const predicted = linear(params.second, tf.tanh(linear(params.first, x)));
    const error = tf.sub(predicted, y);
    return {
      loss: tf.mean(tf.square(error)),
      outputs: { largest: tf.max(tf.abs(error)), rows: tf.sum(tf.abs(error), 1) },
      extra: { seen: tf.add(extra.seen, 1) },
    };
  };
  return compileTrainStep<Parameters, Extra, typeof smallInputs>(loss, {
    name: "small",
    parameters: {
      first: initLinear(rng.fork("first"), { inputs: 3, outputs: 16 }),
      second: initLinear(rng.fork("second"), { inputs: 16, outputs: 2 }),
    },
    extra: { seen: { shape: [], dtype: "float32", data: new Float32Array(1) } },
    inputs: smallInputs,
    batch: 8,
    optimizer,
    executor,
    ...options,
  });
}

/** Points of a fixed smooth function; a function of the index alone. */
export function smallBatch(index: number): { x: Float32Array; y: Float32Array } {
  const rng = createRng("batches").fork(index);
  const x = Float32Array.from({ length: 24 }, () => rng.uniform(-1, 1));
  const y = Float32Array.from({ length: 16 }, (_, i) => {
    const row = Math.floor(i / 2) * 3;
    return i % 2 === 0 ? x[row]! * x[row + 1]! : Math.sin(x[row + 2]!);
  });
  return { x, y };
}

export function smallRun(step: TrainStep, folder: string): TrainOptions {
  return {
    step,
    batchAt: smallBatch,
    batchSize: 8,
    steps: 10,
    learningRate: constant(3e-2),
    folder,
    config: { width: 16 },
    command: "test",
    engine: "test",
    seed: 0,
    dataHash: "points",
    now: () => new Date(0),
  };
}
