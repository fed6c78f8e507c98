import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { buildVocabulary, type Vocabulary } from "#core/text/word-tokenizer.ts";
import {
  compile,
  type Executor,
  type RunSettings,
  type TrainResult,
  type TrainState,
  train,
  warmupCosine,
} from "#engine/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { checkLabels, type LatentOrigin } from "./check-labels.ts";
import type { LatentVlaTrainConfig } from "./config.ts";
import { type LatentVlaParameters, latentLoss } from "./model.ts";
import { openBackbone } from "./open-backbone.ts";
import { type Perception, perceive, perceiveBatch, perceptionSpecs, type Words, withPerception } from "./perception.ts";
import { encodeCaptions, readPictures } from "./samples.ts";
import { createLatentVlaStep, type LatentSamples, latentVlaBatch } from "./train-step.ts";

/** What travels with the backbone: the words that it knows, and whose latent actions it says. */
export type BackboneStatistics = { readonly vocabulary: Vocabulary; readonly latent: LatentOrigin };

/** A run goes on only with labels of the latent actions that it began with. */
async function earlierOrigin({ resume, folder }: RunSettings): Promise<LatentOrigin | undefined> {
  if (resume !== true || !existsSync(join(folder, "checkpoints"))) return undefined;
  const isEmpty = readdirSync(join(folder, "checkpoints")).every((name) => name.endsWith(".tmp"));
  return isEmpty ? undefined : (await openBackbone(folder)).latentOrigin;
}

/** Samples of the clips for which `heldOut` is as asked. */
function samplesOf(data: VideoData, labels: LatentLabels, captions: readonly Words[], heldOut: boolean): LatentSamples {
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
async function createJudge(
  source: LatentSamples,
  config: LatentVlaTrainConfig,
  { executor, perception, initial }: { executor: Executor; perception: Perception; initial: TrainState },
) {
  const { model, batch } = config;
  const count = source.samples.clip.length;
  const chosen = Int32Array.from({ length: batch * 4 }, (_, row) => Math.floor(((row + 0.5) * count) / (batch * 4)));
  const still = { shiftPixels: 0, augment: 0 };
  const program = await compile(
    (leaves, inputs) => {
      const { images, words } = perceive(model, inputs);
      const params = leaves as unknown as LatentVlaParameters<tf.Tensor>;
      const { loss, accuracy } = latentLoss(params, model, images, words, inputs.codes as tf.Tensor2D);
      return { outputs: { loss, accuracy } };
    },
    {
      name: "latent-vla-judge",
      state: initial.parameters,
      inputs: {
        ...perceptionSpecs(model, batch),
        codes: { shape: [batch, model.codesPerStep], dtype: "int32" },
      },
      executor,
    },
  );
  return async ({ parameters }: TrainState): Promise<Record<string, number>> => {
    await program.load(parameters);
    const totals = { loss: 0, accuracy: 0 };
    for (let start = 0; start < chosen.length; start += batch) {
      const rows = chosen.subarray(start, start + batch);
      const { colour: _, ...seen } = readPictures(
        source.frames,
        source.captions,
        source.samples,
        rows,
        still,
        createRng(0),
      );
      const codes = new Int32Array(batch * model.codesPerStep);
      for (const [row, sample] of rows.entries()) {
        const width = model.codesPerStep;
        codes.set(source.codes.subarray(sample * width, (sample + 1) * width), row * width);
      }
      const { loss, accuracy } = await program.run({ ...(await perceiveBatch(model, perception, seen)), codes });
      totals.loss += loss!.data[0]! / 4;
      totals.accuracy += accuracy!.data[0]! / 4;
    }
    return totals;
  };
}

/**
 * Pretrains the backbone to say which latent action follows a picture and an instruction (LAPA section 3.2).
 *
 * @throws UserError when the labels are of other videos, or a run goes on with labels of another quantizer or offset
 * @throws ConfigError when an instruction is longer than the context
 */
export async function trainLatentVla(
  data: VideoData,
  labels: LatentLabels,
  given: LatentVlaTrainConfig,
  run: RunSettings,
): Promise<TrainResult> {
  checkLabels(labels, data, await earlierOrigin(run));
  const vocabulary = buildVocabulary(data.frames.clips.map(({ caption = "" }) => caption));
  const { codebookSize, codesPerStep } = labels;
  const model = { ...given.model, vocabularySize: vocabulary.length, codebookSize, codesPerStep };
  return withPerception(model, vocabulary, run.executor, (perception) =>
    trainSeeing(data, labels, { ...given, model: perception.config }, run, { vocabulary, perception }),
  );
}

async function trainSeeing(
  data: VideoData,
  labels: LatentLabels,
  config: LatentVlaTrainConfig,
  run: RunSettings,
  { vocabulary, perception }: { readonly vocabulary: Vocabulary; readonly perception: Perception },
): Promise<TrainResult> {
  const captions = await encodeCaptions(data.frames, perception);
  const source = samplesOf(data, labels, captions, false);
  const heldOut = samplesOf(data, labels, captions, true);
  if (source.codes.length === 0) {
    throw new UserError(
      "labels: must hold pairs of clips to train on, got none. Lower --data.holdOut or give more clips.",
    );
  }
  const step = await createLatentVlaStep(config, run.executor);
  const latent = { quantizerHash: labels.quantizerHash, offsetS: labels.offsetS };
  const statistics: BackboneStatistics = { vocabulary, latent };
  try {
    const judge = { executor: run.executor, perception, initial: await step.state() };
    const measure = heldOut.codes.length > 0 ? await createJudge(heldOut, config, judge) : undefined;
    return await train({
      ...run,
      step,
      batchAt: (index) => perceiveBatch(config.model, perception, latentVlaBatch(source, config, index)),
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
