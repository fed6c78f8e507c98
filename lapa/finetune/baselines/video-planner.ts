/**
 * @file UniPi (Du et al. 2023, arXiv 2302.00111; LAPA's baseline of that name) in its smallest form: a model of videos draws
 * the frame that should come next under an instruction, and an inverse dynamics model says which action leads there.
 *
 * The drawing network is the quantizer's decoder, with the words of the instruction in the place of the codes: it is as
 * strong as the one that LAPA draws with. UniPi itself diffuses whole clips.
 */
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { buildVocabulary, encodeText, type Vocabulary } from "#core/text/word-tokenizer.ts";
import { type FramePairs, filterPairs, framePairs } from "#datasets/frame-pairs.ts";
import {
  compileTrainStep,
  type HostArray,
  normalArray,
  openModel,
  type RunSettings,
  type TrainResult,
  train,
  warmupCosine,
} from "#engine/index.ts";
import {
  applyColour,
  type CompactNetwork,
  colourSize,
  decodeFrame,
  drawColour,
  initQuantizer,
  quantizerModelConfig,
  reconstructionLoss,
  toModelRange,
  type VideoData,
  videoDataConfig,
} from "#lapa/quantizer/index.ts";

export const videoPlannerConfig = z
  .strictObject({
    model: quantizerModelConfig.prefault({ codesPerStep: 16 }).describe("its decoder; codesPerStep: words at most"),
    data: videoDataConfig.prefault({}),
    offsetS: z.number().positive().default(0.4).describe("how far ahead the frame is that it draws, seconds"),
    steps: z.number().int().positive().default(1000).describe("training steps"),
    batch: z.number().int().positive().default(64).describe("frame pairs per step"),
    learningRate: z.number().positive().default(2e-3).describe("peak learning rate, cosine to a tenth"),
    warmupSteps: z.number().int().min(0).default(50).describe("linear warm-up, steps"),
    weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay"),
    clipNorm: z.number().positive().default(1).describe("global gradient norm limit"),
    augment: z.number().min(0).max(1).default(0.3).describe("strength of colour augmentation, the same on both frames"),
    seed: z.number().int().default(0).describe("seed of weights, batches and augmentation"),
  })
  .superRefine(({ model }, context) => {
    if (model.architecture === "published")
      context.addIssue({ code: "custom", path: ["model", "architecture"], message: "must be compact" });
  });

export type VideoPlannerConfig = z.infer<typeof videoPlannerConfig>;

export type VideoPlannerNetwork<T = HostArray> = {
  readonly decoder: CompactNetwork<T>["decoder"];
  /** f32[V, codeWidth] */
  readonly words: T;
};

/**
 * Draws what should be seen `offsetS` later.
 *
 * @param first f32[B, H, W, 3] in [-1, 1] @param words i32[B, T], padded
 * @returns f32[B, H, W, 3], unclipped
 */
export function drawNextFrame(
  params: VideoPlannerNetwork<tf.Tensor>,
  { model }: VideoPlannerConfig,
  first: tf.Tensor4D,
  words: tf.Tensor2D,
): tf.Tensor4D {
  const vectors = tf.gather(params.words, words) as tf.Tensor3D; // [B, T, codeWidth]
  return decodeFrame(params as never, model, first, vectors);
}

function batchOf(
  { frames }: VideoData,
  pairs: FramePairs,
  captions: readonly Int32Array[],
  { batch, seed, augment }: VideoPlannerConfig,
  step: number,
) {
  const rng = createRng(`video-planner/${seed}/${step}`);
  const pixels = frames.size ** 2 * 3;
  const length = captions[0]!.length;
  const [first, second] = [new Uint8Array(batch * pixels), new Uint8Array(batch * pixels)];
  const words = new Int32Array(batch * length);
  const colour = new Float32Array(batch * colourSize);
  for (let row = 0; row < batch; row++) {
    const pair = rng.integer(pairs.length);
    const clip = pairs.clip[pair]!;
    frames.read(clip, pairs.first[pair]!, first, row * pixels);
    frames.read(clip, pairs.second[pair]!, second, row * pixels);
    words.set(captions[clip]!, row * length);
    drawColour(rng, { strength: augment }, colour, row * colourSize);
  }
  return { first, second, words, colour };
}

/** Trains on the videos' frames and captions alone; clips that are held out stay out. */
export async function trainVideoPlanner(
  data: VideoData,
  config: VideoPlannerConfig,
  run: RunSettings,
): Promise<TrainResult> {
  const { model, batch, steps } = config;
  const texts = data.frames.clips.map(({ caption = "" }) => caption);
  const vocabulary = buildVocabulary(texts);
  if (vocabulary.length === 2) {
    throw new ConfigError("videos: must have captions, or nothing says what to draw, got none. Add captions.jsonl.");
  }
  const captions = texts.map((text) => encodeText(vocabulary, text, model.codesPerStep));
  const all = framePairs(data.frames.clips, { offsetS: config.offsetS });
  const pairs = filterPairs(all, (pair) => !data.heldOut[all.clip[pair]!]);
  const rng = createRng(`video-planner/${config.seed}`);
  const { decoder } = initQuantizer(rng.fork("weights"), model) as CompactNetwork;
  const words = normalArray(rng.fork("words"), [vocabulary.length, model.codeWidth], 0.3);
  const picture = { shape: [batch, model.imageSize, model.imageSize, 3], dtype: "uint8" } as const;
  const step = await compileTrainStep(
    (params, inputs) => {
      const colour = inputs.colour as tf.Tensor2D;
      const seen = (pixels: tf.Tensor) => applyColour(toModelRange(pixels as tf.Tensor4D), colour);
      const [first, second] = [seen(inputs.first), seen(inputs.second)];
      const network = params as unknown as VideoPlannerNetwork<tf.Tensor>;
      const drawn = drawNextFrame(network, config, first, inputs.words as tf.Tensor2D);
      return { loss: reconstructionLoss(model, { first, second, drawn }).reconstruction, outputs: {} };
    },
    {
      name: "video-planner",
      parameters: { decoder, words } as never,
      inputs: {
        ...{ first: picture, second: picture },
        words: { shape: [batch, model.codesPerStep], dtype: "int32" },
        colour: { shape: [batch, colourSize], dtype: "float32" },
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
      batchAt: (at) => batchOf(data, pairs, captions, config, at),
      batchSize: batch,
      steps,
      learningRate: warmupCosine({
        ...{ peak: config.learningRate, warmupSteps: Math.min(config.warmupSteps, steps - 1), steps },
      }),
      config,
      engine: run.executor.kind,
      seed: config.seed,
      dataHash: data.hash,
      statistics: { vocabulary: [...vocabulary] },
      checkpointEvery: 200,
    });
  } finally {
    await step.dispose();
  }
}

export type VideoPlanner = {
  readonly id: string;
  readonly config: VideoPlannerConfig;
  readonly network: VideoPlannerNetwork;
  readonly vocabulary: Vocabulary;
};

/** Opens a trained planner. @throws UserError, FormatError or ConfigError as `openModel` */
export async function openVideoPlanner(path: string): Promise<VideoPlanner> {
  const { id, config, weights, meta } = await openModel(path, videoPlannerConfig);
  const { vocabulary } = z.object({ vocabulary: z.array(z.string()) }).parse(meta.statistics);
  return { id, config, network: weights as unknown as VideoPlannerNetwork, vocabulary };
}
