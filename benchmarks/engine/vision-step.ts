/**
 * @file The two steps that engines are measured by: a pre-norm vision transformer with mean pooling and a 100-way
 * classifier; forward, backward and AdamW in float32.
 */
import { createRng } from "#core/rng.ts";
import {
  compileTrainStep,
  crossEntropy,
  type Executor,
  initLayerNorm,
  initLinear,
  initTransformerBlock,
  type LayerNorm,
  type Linear,
  layerNorm,
  linear,
  normalArray,
  type Precision,
  type TrainStep,
  type TransformerBlock,
  tf,
  transformerBlock,
} from "#engine/index.ts";

/** Batch B, tokens N, width D, depth, heads; patches of `inputs` numbers. */
export type VisionSize = {
  readonly batch: number;
  readonly tokens: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly inputs: number;
  readonly classes: number;
};

export const visionSizes = {
  a: { batch: 16, tokens: 64, width: 256, depth: 4, heads: 8, inputs: 48, classes: 100 },
  b: { batch: 4, tokens: 64, width: 128, depth: 2, heads: 8, inputs: 48, classes: 100 },
  m21: { batch: 4, tokens: 196, width: 384, depth: 12, heads: 6, inputs: 768, classes: 1000 },
} as const satisfies Record<string, VisionSize>;

export type VisionParameters<T> = {
  readonly embed: Linear<T>;
  readonly position: T;
  readonly blocks: readonly TransformerBlock<T>[];
  readonly norm: LayerNorm<T>;
  readonly head: Linear<T>;
};

export function initVision(size: VisionSize) {
  const rng = createRng("vision");
  const { width, heads, inputs, tokens, classes, depth } = size;
  return {
    embed: initLinear(rng.fork("embed"), { inputs, outputs: width, std: 0.02 }),
    position: normalArray(rng.fork("position"), [tokens, width], 0.02),
    blocks: Array.from({ length: depth }, (_, index) => initTransformerBlock(rng.fork(index), { width, heads })),
    norm: initLayerNorm(width),
    head: initLinear(rng.fork("head"), { inputs: width, outputs: classes, std: 0.02 }),
  };
}

const specs = ({ batch, tokens, inputs }: VisionSize) =>
  ({
    patches: { shape: [batch, tokens, inputs], dtype: "float32" },
    labels: { shape: [batch], dtype: "int32" },
  }) as const;

/** The one batch that every step trains on. */
export function visionBatch(size: VisionSize): { patches: Float32Array; labels: Int32Array } {
  const rng = createRng("vision batch");
  const { batch, tokens, inputs, classes } = size;
  const patches = Float32Array.from({ length: batch * tokens * inputs }, () => rng.normal());
  return { patches, labels: Int32Array.from({ length: batch }, () => rng.integer(classes)) };
}

export function visionStep(executor: Executor, size: VisionSize, precision: Precision = "float32"): Promise<TrainStep> {
  const { heads } = size;
  const loss = (
    params: VisionParameters<tf.Tensor>,
    { patches, labels }: { patches: tf.Tensor; labels: tf.Tensor },
  ) => {
    let x = tf.add(linear(params.embed, patches), params.position) as tf.Tensor3D; // [B, N, D]
    for (const block of params.blocks) x = transformerBlock(block, x, { heads });
    const pooled = tf.mean(layerNorm(params.norm, x), 1); // [B, D]
    return { loss: crossEntropy(linear(params.head, pooled) as tf.Tensor2D, labels as tf.Tensor1D) };
  };
  return compileTrainStep<VisionParameters<tf.Tensor>, Record<string, never>, ReturnType<typeof specs>>(loss, {
    name: "vision",
    parameters: initVision(size),
    inputs: specs(size),
    batch: size.batch,
    optimizer: { weightDecay: 0.01 },
    executor,
    precision,
  });
}
