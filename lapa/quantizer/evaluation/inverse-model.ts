/**
 * @file An inverse dynamics model that is told the true actions (VPT, Baker et al. 2022): the quantizer's own encoder with
 * fresh weights and a linear head. It bounds what the codes could say, and judges what drawn pictures show.
 */
import type * as tf from "@tensorflow/tfjs";
import type { VisionEncoder } from "#core/contracts/vision.ts";
import { createRng } from "#core/rng.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import {
  compile,
  compileTrainStep,
  type Executor,
  type HostArray,
  tf as ops,
  type Tree,
  warmupCosine,
} from "#engine/index.ts";
import { type Frames, quantizerBatch, quantizerInputs } from "../batches.ts";
import { applyColour } from "../colour.ts";
import type { QuantizerTrainConfig } from "../config.ts";
import { featureSpecs, seeFeatures } from "../eyes.ts";
import { type InverseNetwork, initInverseNetwork, readAction } from "../inverse-network.ts";
import { toModelRange } from "../model.ts";
import { readPairs } from "../runner.ts";

export type InverseModel = {
  /** f32[N, A] in the units of the labels it learned from. */
  predict(frames: Frames, pairs: FramePairs): Promise<Float32Array>;
  dispose(): Promise<void>;
};

export type InverseModelOptions = {
  readonly config: QuantizerTrainConfig;
  readonly executor: Executor;
  readonly frames: Frames;
  readonly pairs: FramePairs;
  /** f32[N, A], best of mean 0 and variance 1. */
  readonly actions: Float32Array;
  readonly width: number;
  readonly steps: number;
  /** The quantizer's frozen encoder, where it looks through one. */
  readonly eyes?: VisionEncoder | undefined;
  readonly signal?: AbortSignal | undefined;
};

const batch = 64;

/** Trains one on the given pairs, with the quantizer's own augmentation and learning rate. */
export async function trainInverseModel(options: InverseModelOptions): Promise<InverseModel> {
  const { executor, frames, pairs, actions, width, steps, signal } = options;
  const config: QuantizerTrainConfig = {
    ...{ ...options.config, batch, labelledShare: 1, mirror: false, seed: 1 },
    // Nothing is quantised; the batch carries the actions where the grounding head would want them.
    model: {
      ...{ ...options.config.model, quantization: "ema", codebooks: "shared", timed: false, groundingDims: width },
      target: "pixels",
    },
  };
  const { model } = config;
  const rng = createRng("inverse-model");
  const streams = { network: rng.fork("network"), head: rng.fork("head") };
  const parameters = initInverseNetwork(streams, model, { outputs: width });
  const step = await compileTrainStep(
    (params, inputs) => {
      const seen = applyColour(toModelRange(inputs.frames as tf.Tensor5D), inputs.colour as tf.Tensor2D);
      const network = params as unknown as InverseNetwork<tf.Tensor>;
      const told = readAction(network, model, seen, inputs.features as tf.Tensor4D | undefined);
      return { loss: ops.mean(ops.square(ops.sub(told, inputs.action!))) };
    },
    {
      name: "inverse-model",
      parameters: parameters as unknown as Tree<HostArray>,
      inputs: quantizerInputs(config),
      optimizer: { beta2: config.beta2, weightDecay: config.weightDecay, clipNorm: config.clipNorm },
      executor,
    },
  );
  const rate = warmupCosine({ peak: config.learningRate, warmupSteps: Math.min(50, steps - 1), steps });
  const source = { frames, pairs, labelled: { pairs, actions } };
  for (let at = 0; at < steps; at++) {
    signal?.throwIfAborted();
    const made = quantizerBatch(source, config, at);
    const seen = await seeFeatures(model, options.eyes, made.frames);
    await step.run({ ...made, ...seen }, { learningRate: rate(at) });
  }
  const trained = (await step.state()).parameters;
  await step.dispose();
  return inverseModelOf(trained, config, width, options);
}

async function inverseModelOf(
  state: Tree<HostArray>,
  { model }: QuantizerTrainConfig,
  width: number,
  { executor, eyes }: InverseModelOptions,
): Promise<InverseModel> {
  const shape = [batch, 2, model.imageSize, model.imageSize, 3];
  const program = await compile(
    (leaves, { frames, features }) => {
      const network = leaves as unknown as InverseNetwork<tf.Tensor>;
      const seen = toModelRange(frames as tf.Tensor5D);
      return { outputs: { told: readAction(network, model, seen, features as tf.Tensor4D | undefined) } };
    },
    {
      ...{ name: "inverse-model-apply", state, executor },
      inputs: { frames: { shape, dtype: "uint8" }, ...featureSpecs(model, batch) },
    },
  );
  return {
    async predict(frames, pairs) {
      const told = new Float32Array(pairs.length * width);
      for (let start = 0; start < pairs.length; start += batch) {
        const count = Math.min(batch, pairs.length - start);
        const pixels = readPairs(frames, pairs, { start, count, batch });
        const result = await program.run({ frames: pixels, ...(await seeFeatures(model, eyes, pixels)) });
        told.set((result.told!.data as Float32Array).subarray(0, count * width), start * width);
      }
      return told;
    },
    dispose: () => program.dispose(),
  };
}
