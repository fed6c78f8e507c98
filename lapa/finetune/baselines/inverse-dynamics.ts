/**
 * @file The inverse dynamics model of VPT (Baker et al. 2022, arXiv 2206.11795; LAPA's baseline of that name, section 4.2):
 * two frames in, the action between them out. It is trained on the few labelled clips and then guesses the actions of all
 * videos. So that the comparison is fair it looks through the quantizer's own encoder, with the same augmentation, weight
 * decay and a shift of both frames together; only what it is asked for differs.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { mean, standardDeviation } from "#core/statistics/bootstrap.ts";
import { type FramePairs, filterPairs, framePairs } from "#datasets/frame-pairs.ts";
import {
  compile,
  compileTrainStep,
  type Executor,
  type InputSpec,
  openModel,
  type RunSettings,
  type TrainResult,
  train,
  warmupCosine,
} from "#engine/index.ts";
import { shiftPicture } from "#lapa/latent-vla/index.ts";
import {
  applyColour,
  colourSize,
  drawColour,
  type Frames,
  type InverseNetwork,
  initInverseNetwork,
  needsEyes,
  pairActions,
  quantizerModelConfig,
  readAction,
  toModelRange,
  type VideoData,
  videoDataConfig,
} from "#lapa/quantizer/index.ts";

const fields = z.strictObject({
  model: quantizerModelConfig.prefault({}).describe("its encoder; what concerns codes and decoder is not used"),
  data: videoDataConfig.prefault({}),
  offsetS: z.number().positive().default(0.4).describe("time between the two frames of a pair, seconds"),
  steps: z.number().int().positive().default(500).describe("training steps"),
  batch: z.number().int().positive().default(64).describe("frame pairs per step"),
  learningRate: z.number().positive().default(1e-3).describe("peak learning rate, cosine to a tenth"),
  warmupSteps: z.number().int().min(0).default(50).describe("linear warm-up, steps"),
  weightDecay: z.number().min(0).default(0.05).describe("decoupled weight decay"),
  clipNorm: z.number().positive().default(1).describe("global gradient norm limit"),
  augment: z.number().min(0).max(1).default(0.3).describe("strength of colour augmentation, the same on both frames"),
  polarity: z.boolean().default(true).describe("turn light into dark in half of the pairs"),
  shiftPixels: z.number().int().min(0).default(3).describe("random shift of both frames together, pixels"),
  seed: z.number().int().default(0).describe("seed of weights, batches and augmentation"),
});

export const inverseDynamicsConfig = fields.superRefine(({ model }, { addIssue }) => {
  if (needsEyes(model)) addIssue({ code: "custom", path: ["model"], message: "must look at pixels, not at features" });
});

export type InverseDynamicsConfig = z.infer<typeof inverseDynamicsConfig>;

/** Mean and standard deviation of each action dimension over the labelled pairs; a dimension that is constant has std 0. */
const scaleSchema = z.object({ mean: z.array(z.number()), std: z.array(z.number()) });
export type ActionScale = z.infer<typeof scaleSchema>;

function fitScale(actions: Float32Array, width: number): ActionScale {
  const columns = Array.from({ length: width }, (_, index) => actions.filter((_, at) => at % width === index));
  const spread = columns.map((column) => standardDeviation(column));
  return { mean: columns.map((column) => mean(column)), std: spread.map((value) => (value > 1e-6 ? value : 0)) };
}

/** Pairs of the recorded clips for which `heldOut` is as asked. */
function labelledPairs(data: VideoData, offsetS: number, heldOut: boolean): FramePairs {
  const all = framePairs(data.frames.clips, { offsetS });
  return filterPairs(all, (pair) => {
    const clip = all.clip[pair]!;
    return data.recorded[clip] !== undefined && data.heldOut[clip] === heldOut;
  });
}

/** Reads the two frames of a pair into row `row`. */
function readPair(frames: Frames, pairs: FramePairs, pair: number, into: Uint8Array, row: number): void {
  const pixels = frames.size * frames.size * 3;
  frames.read(pairs.clip[pair]!, pairs.first[pair]!, into, 2 * row * pixels);
  frames.read(pairs.clip[pair]!, pairs.second[pair]!, into, (2 * row + 1) * pixels);
}

type Labelled = { readonly frames: Frames; readonly pairs: FramePairs; readonly targets: Float32Array };

/** The batch of one step: a pure function of seed and step. */
function batchOf({ frames, pairs, targets }: Labelled, config: InverseDynamicsConfig, step: number) {
  const { batch, seed, shiftPixels } = config;
  const width = targets.length / pairs.length;
  const rng = createRng(`inverse-dynamics/${seed}/${step}`);
  const pixels = frames.size * frames.size * 3;
  const pictures = new Uint8Array(batch * 2 * pixels);
  const colour = new Float32Array(batch * colourSize);
  const action = new Float32Array(batch * width);
  const scratch = new Uint8Array(pixels);
  for (let row = 0; row < batch; row++) {
    const pair = rng.integer(pairs.length);
    readPair(frames, pairs, pair, pictures, row);
    const [dx, dy] = [0, 1].map(() => rng.integer(2 * shiftPixels + 1) - shiftPixels) as [number, number];
    for (const time of [0, 1]) shiftPicture(pictures, (2 * row + time) * pixels, frames.size, dx, dy, scratch);
    drawColour(rng, { strength: config.augment, polarity: config.polarity }, colour, row * colourSize);
    action.set(targets.subarray(pair * width, (pair + 1) * width), row * width);
  }
  return { frames: pictures, colour, action };
}

const pairSpec = (batch: number, size: number): InputSpec => ({ shape: [batch, 2, size, size, 3], dtype: "uint8" });

/**
 * Trains the inverse model on the recorded clips of `data`, by the mean squared error of the standardised action.
 *
 * @throws UserError when no pair of a recorded clip is left to learn from
 */
export async function trainInverseDynamics(
  data: VideoData,
  config: InverseDynamicsConfig,
  run: RunSettings,
): Promise<TrainResult> {
  const { model, batch, steps } = config;
  const pairs = labelledPairs(data, config.offsetS, false);
  if (pairs.length === 0) {
    throw new UserError(
      "inverse dynamics: must have labelled clips to learn from, got none. Pass --data.datasets, or lower --data.holdOut.",
    );
  }
  const { actions, width } = pairActions(data, pairs);
  const scale = fitScale(actions, width);
  const targets = actions.map((value, at) => {
    const std = scale.std[at % width]!;
    return std === 0 ? 0 : (value - scale.mean[at % width]!) / std;
  });
  const rng = createRng(`inverse-dynamics/${config.seed}`);
  const streams = { network: rng.fork("weights"), head: rng.fork("head") };
  const parameters = initInverseNetwork(streams, model, { outputs: width, std: 0.01 });
  const step = await compileTrainStep(
    (params, inputs) => {
      const frames = applyColour(toModelRange(inputs.frames as tf.Tensor5D), inputs.colour as tf.Tensor2D);
      const guess = readAction(params as unknown as InverseNetwork<tf.Tensor>, model, frames);
      return { loss: tf.mean(tf.square(tf.sub(guess, inputs.action!))) as tf.Scalar, outputs: {} };
    },
    {
      name: "inverse-dynamics",
      parameters: parameters as never,
      inputs: {
        frames: pairSpec(batch, model.imageSize),
        colour: { shape: [batch, colourSize], dtype: "float32" },
        action: { shape: [batch, width], dtype: "float32" },
      },
      batch,
      optimizer: { weightDecay: config.weightDecay, clipNorm: config.clipNorm },
      executor: run.executor,
    },
  );
  try {
    return await train({
      ...run,
      step,
      batchAt: (at) => batchOf({ frames: data.frames, pairs, targets }, config, at),
      batchSize: batch,
      steps,
      learningRate: warmupCosine({
        ...{ peak: config.learningRate, warmupSteps: Math.min(config.warmupSteps, steps - 1), steps },
      }),
      config,
      engine: run.executor.kind,
      seed: config.seed,
      dataHash: data.hash,
      statistics: scale as never,
      checkpointEvery: 200,
    });
  } finally {
    await step.dispose();
  }
}

export type InverseModel = {
  readonly id: string;
  readonly config: InverseDynamicsConfig;
  readonly network: InverseNetwork;
  readonly scale: ActionScale;
};

/** Opens a trained inverse model. @throws UserError, FormatError or ConfigError as `openModel` */
export async function openInverseModel(path: string): Promise<InverseModel> {
  const { id, config, weights, meta } = await openModel(path, inverseDynamicsConfig);
  return { id, config, network: weights as unknown as InverseNetwork, scale: scaleSchema.parse(meta.statistics) };
}

/** Guesses the action over every pair. @returns f32[N, A] in the units of the actions that the model learned from */
export async function guessActions(
  { config, network, scale }: InverseModel,
  frames: Frames,
  pairs: FramePairs,
  { executor, signal }: { readonly executor: Executor; readonly signal?: AbortSignal },
): Promise<Float32Array> {
  const { batch, model } = config;
  const program = await compile(
    (leaves, inputs) => {
      const seen = toModelRange(inputs.frames as tf.Tensor5D);
      return { outputs: { action: readAction(leaves as unknown as InverseNetwork<tf.Tensor>, model, seen) } };
    },
    {
      name: "inverse-dynamics-predict",
      state: network as never,
      inputs: { frames: pairSpec(batch, model.imageSize) },
      executor,
    },
  );
  const width = scale.mean.length;
  const actions = new Float32Array(pairs.length * width);
  try {
    for (let start = 0; start < pairs.length; start += batch) {
      signal?.throwIfAborted();
      const count = Math.min(batch, pairs.length - start);
      const pictures = new Uint8Array(batch * 2 * frames.size * frames.size * 3);
      for (let row = 0; row < count; row++) readPair(frames, pairs, start + row, pictures, row);
      const { action } = await program.run({ frames: pictures });
      const rows = (action!.data as Float32Array).subarray(0, count * width);
      actions.set(
        rows.map((value, at) => scale.mean[at % width]! + scale.std[at % width]! * value),
        start * width,
      );
    }
    return actions;
  } finally {
    await program.dispose();
  }
}
