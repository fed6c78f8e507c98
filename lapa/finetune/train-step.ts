import type * as tf from "@tensorflow/tfjs";
import { type ActionTokenizer, encodeActions } from "#core/actions/bins.ts";
import { createRng } from "#core/rng.ts";
import { compileTrainStep, type Executor, type TrainStep } from "#engine/index.ts";
import { readPictures, type SampleSet } from "#lapa/latent-vla/index.ts";
import { applyColour, colourSize, type Frames, toModelRange } from "#lapa/quantizer/index.ts";
import type { FinetuneConfig } from "./config.ts";
import { type ActionShape, type ActionVlaParameters, actionLoss } from "./model.ts";

/** Demonstrations: pictures, and for each the next L actions, i32[N, L * A] bins with f32[N, L * A] 1 where they exist. */
export type Demonstrations = {
  readonly frames: Frames;
  readonly captions: readonly Int32Array[];
  readonly samples: SampleSet;
  readonly bins: Int32Array;
  readonly mask: Float32Array;
};

/**
 * Cuts demonstrations into samples: every frame with the next L actions.
 *
 * @param actions per clip f32[T, A], row t was sent when frame t was seen
 */
export function cutDemonstrations(
  frames: Frames,
  captions: readonly Int32Array[],
  actions: readonly Float32Array[],
  tokenizer: ActionTokenizer,
  chunkLength: number,
): Demonstrations {
  const size = tokenizer.dimensions.length;
  const width = chunkLength * size;
  const lengths = actions.map((rows) => rows.length / size);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const samples = { clip: new Int32Array(count), frame: new Int32Array(count) };
  const bins = new Int32Array(count * width);
  const mask = new Float32Array(count * width);
  let row = 0;
  for (const [clip, length] of lengths.entries()) {
    const encoded = encodeActions(tokenizer, actions[clip]!.subarray(0, length * size));
    for (let frame = 0; frame < length; frame++, row++) {
      samples.clip[row] = clip;
      samples.frame[row] = frame;
      const known = Math.min(chunkLength, length - frame) * size;
      bins.set(encoded.subarray(frame * size, frame * size + known), row * width);
      mask.fill(1, row * width, row * width + known);
    }
  }
  return { frames, captions, samples, bins, mask };
}

/** Compiles one stage of fine-tuning. `trunk` false: the backbone stays as it is. */
export function createFinetuneStep(
  config: FinetuneConfig,
  shape: ActionShape,
  parameters: ActionVlaParameters,
  { trunk, executor }: { trunk: boolean; executor: Executor },
): Promise<TrainStep> {
  const { model, batch, head } = config;
  const width = shape.chunkLength * shape.dimensions;
  return compileTrainStep(
    (params, inputs) => {
      const images = applyColour(toModelRange(inputs.images as tf.Tensor4D), inputs.colour as tf.Tensor2D);
      const { loss, accuracy } = actionLoss(
        params as unknown as ActionVlaParameters<tf.Tensor>,
        model,
        {
          images,
          words: inputs.words as tf.Tensor2D,
          bins: inputs.bins as tf.Tensor2D,
          mask: inputs.mask as tf.Tensor2D,
        },
        head.smoothing,
      );
      return { loss, outputs: { accuracy } };
    },
    {
      name: trunk ? "finetune" : "finetune-head",
      parameters,
      inputs: {
        images: { shape: [batch, model.imageSize, model.imageSize, 3], dtype: "uint8" },
        words: { shape: [batch, model.textLength], dtype: "int32" },
        colour: { shape: [batch, colourSize], dtype: "float32" },
        bins: { shape: [batch, width], dtype: "int32" },
        mask: { shape: [batch, width], dtype: "float32" },
      },
      batch,
      optimizer: { weightDecay: config.weightDecay, clipNorm: config.clipNorm },
      executor,
      trainable: (path) => trunk || path.startsWith("action."),
    },
  );
}

/** The batch of one step: a pure function of seed and step. */
export function finetuneBatch(demonstrations: Demonstrations, config: FinetuneConfig, step: number) {
  const { frames, captions, samples, bins, mask } = demonstrations;
  const rng = createRng(`finetune/${config.seed}/${step}`);
  const count = samples.clip.length;
  const chosen = Int32Array.from({ length: config.batch }, () => rng.integer(count));
  const pictures = readPictures(frames, captions, samples, chosen, config, rng);
  const width = bins.length / count;
  const rows = { bins: new Int32Array(config.batch * width), mask: new Float32Array(config.batch * width) };
  for (const [row, sample] of chosen.entries()) {
    rows.bins.set(bins.subarray(sample * width, (sample + 1) * width), row * width);
    rows.mask.set(mask.subarray(sample * width, (sample + 1) * width), row * width);
  }
  return { ...pictures, ...rows };
}
