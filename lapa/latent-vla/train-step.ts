import type * as tf from "@tensorflow/tfjs";
import { createRng } from "#core/rng.ts";
import { compileTrainStep, type Executor, type TrainStep } from "#engine/index.ts";
import type { Frames } from "#lapa/quantizer/index.ts";
import type { LatentVlaTrainConfig } from "./config.ts";
import { initLatentVla, type LatentVlaParameters, latentLoss } from "./model.ts";
import { perceive, perceptionSpecs, type Words } from "./perception.ts";
import { readPictures, type SampleSet } from "./samples.ts";

/** Compiles the step that teaches the backbone to say which latent action follows. */
export function createLatentVlaStep(config: LatentVlaTrainConfig, executor: Executor): Promise<TrainStep> {
  const { model, batch } = config;
  return compileTrainStep(
    (params, inputs) => {
      const { images, words } = perceive(model, inputs);
      const { loss, accuracy } = latentLoss(
        params as unknown as LatentVlaParameters<tf.Tensor>,
        model,
        images,
        words,
        inputs.codes as tf.Tensor2D,
      );
      return { loss, outputs: { accuracy } };
    },
    {
      name: "latent-vla",
      parameters: initLatentVla(createRng(`latent-vla/${config.seed}`), model),
      inputs: {
        ...perceptionSpecs(model, batch, { colour: true }),
        codes: { shape: [batch, model.codesPerStep], dtype: "int32" },
      },
      batch,
      optimizer: { weightDecay: config.weightDecay, clipNorm: config.clipNorm },
      executor,
    },
  );
}

/** Pictures with the latent action that follows each: i32[N, L]. */
export type LatentSamples = {
  readonly frames: Frames;
  readonly captions: readonly Words[];
  readonly samples: SampleSet;
  readonly codes: Int32Array;
};

/** The batch of one step: a pure function of seed and step. */
export function latentVlaBatch(source: LatentSamples, config: LatentVlaTrainConfig, step: number) {
  const { batch, model } = config;
  const rng = createRng(`latent-vla/${config.seed}/${step}`);
  const count = source.samples.clip.length;
  const chosen = Int32Array.from({ length: batch }, () => rng.integer(count));
  const pictures = readPictures(source.frames, source.captions, source.samples, chosen, config, rng);
  const width = model.codesPerStep;
  const codes = new Int32Array(batch * width);
  for (let row = 0; row < batch; row++) {
    codes.set(source.codes.subarray(chosen[row]! * width, (chosen[row]! + 1) * width), row * width);
  }
  return { ...pictures, codes };
}
