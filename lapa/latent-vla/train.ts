import type * as tf from "@tensorflow/tfjs";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { buildVocabulary, type Vocabulary } from "#core/text/word-tokenizer.ts";
import { compile, type RunSettings, type TrainResult, type TrainState, train, warmupCosine } from "#engine/index.ts";
import { toModelRange, type VideoData } from "#lapa/quantizer/index.ts";
import type { LatentVlaTrainConfig } from "./config.ts";
import { type LatentVlaParameters, latentLoss } from "./model.ts";
import { encodeCaptions, readPictures } from "./samples.ts";
import { createLatentVlaStep, type LatentSamples, latentVlaBatch } from "./train-step.ts";

/** What travels with the backbone: the words that it knows. */
export type BackboneStatistics = { readonly vocabulary: Vocabulary };

function checkLabels(labels: LatentLabels, data: VideoData): void {
  if (labels.source.hash !== data.hash) {
    throw new UserError(
      `labels: were made from other videos (${labels.source.path}, ${labels.source.hash}), got videos ${data.hash}. Label these videos first.`,
    );
  }
}

/** Samples of the clips for which `heldOut` is as asked. */
function samplesOf(
  data: VideoData,
  labels: LatentLabels,
  captions: readonly Int32Array[],
  heldOut: boolean,
): LatentSamples {
  const width = labels.codesPerStep;
  const chosen: number[] = [];
  for (const [pair, clip] of labels.episodes.entries()) if (data.heldOut[clip] === heldOut) chosen.push(pair);
  const codes = new Int32Array(chosen.length * width);
  for (const [row, pair] of chosen.entries()) {
    codes.set(labels.codes.subarray(pair * width, (pair + 1) * width), row * width);
  }
  const samples = {
    clip: Int32Array.from(chosen, (pair) => labels.episodes[pair]!),
    frame: Int32Array.from(chosen, (pair) => labels.first[pair]!),
  };
  return { frames: data.frames, captions, samples, codes };
}

/** Loss and top-1 accuracy of the latent codes on clips left out. */
async function createJudge(source: LatentSamples, config: LatentVlaTrainConfig, run: RunSettings, initial: TrainState) {
  const { model, batch } = config;
  const count = source.samples.clip.length;
  const chosen = Int32Array.from({ length: batch * 4 }, (_, row) => Math.floor(((row + 0.5) * count) / (batch * 4)));
  const still = { shiftPixels: 0, augment: 0 };
  const program = await compile(
    (leaves, inputs) => {
      const { loss, accuracy } = latentLoss(
        leaves as unknown as LatentVlaParameters<tf.Tensor>,
        model,
        toModelRange(inputs.images as tf.Tensor4D),
        inputs.words as tf.Tensor2D,
        inputs.codes as tf.Tensor2D,
      );
      return { outputs: { loss, accuracy } };
    },
    {
      name: "latent-vla-judge",
      state: initial.parameters,
      inputs: {
        images: { shape: [batch, model.imageSize, model.imageSize, 3], dtype: "uint8" },
        words: { shape: [batch, model.textLength], dtype: "int32" },
        codes: { shape: [batch, model.codesPerStep], dtype: "int32" },
      },
      executor: run.executor,
    },
  );
  return async ({ parameters }: TrainState): Promise<Record<string, number>> => {
    await program.load(parameters);
    const totals = { loss: 0, accuracy: 0 };
    for (let start = 0; start < chosen.length; start += batch) {
      const rows = chosen.subarray(start, start + batch);
      const { images, words } = readPictures(source.frames, source.captions, source.samples, rows, still, createRng(0));
      const codes = new Int32Array(batch * model.codesPerStep);
      for (const [row, sample] of rows.entries()) {
        const width = model.codesPerStep;
        codes.set(source.codes.subarray(sample * width, (sample + 1) * width), row * width);
      }
      const { loss, accuracy } = await program.run({ images, words, codes });
      totals.loss += loss!.data[0]! / 4;
      totals.accuracy += accuracy!.data[0]! / 4;
    }
    return totals;
  };
}

/**
 * Pretrains the backbone to say which latent action follows a picture and an instruction (LAPA section 3.2).
 *
 * @throws UserError when the labels are of other videos
 */
export async function trainLatentVla(
  data: VideoData,
  labels: LatentLabels,
  given: LatentVlaTrainConfig,
  run: RunSettings,
): Promise<TrainResult> {
  checkLabels(labels, data);
  const vocabulary = buildVocabulary(data.frames.clips.map(({ caption = "" }) => caption));
  const { codebookSize, codesPerStep } = labels;
  const model = { ...given.model, vocabularySize: vocabulary.length, codebookSize, codesPerStep };
  const config = { ...given, model };
  const captions = encodeCaptions(data.frames, vocabulary, model.textLength);
  const source = samplesOf(data, labels, captions, false);
  const heldOut = samplesOf(data, labels, captions, true);
  const step = await createLatentVlaStep(config, run.executor);
  const statistics: BackboneStatistics = { vocabulary };
  try {
    const measure = heldOut.codes.length > 0 ? await createJudge(heldOut, config, run, await step.state()) : undefined;
    return await train({
      ...run,
      step,
      batchAt: (index) => latentVlaBatch(source, config, index),
      batchSize: config.batch,
      steps: config.steps,
      learningRate: warmupCosine({
        peak: config.learningRate,
        warmupSteps: Math.min(config.warmupSteps, config.steps - 1),
        steps: config.steps,
      }),
      config,
      engine: run.executor.kind,
      seed: config.seed,
      dataHash: data.hash,
      parents: [labels.quantizerHash],
      statistics: statistics as never,
      checkpointEvery: 200,
      ...(measure === undefined ? {} : { evaluation: { every: 200, measure } }),
    });
  } finally {
    await step.dispose();
  }
}
