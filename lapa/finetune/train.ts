/** @file Fine-tuning: a backbone, pretrained or fresh, learns a robot's actions from few demonstrations. */
import { join } from "node:path";
import { type ActionTokenizer, binCount, fitActionTokenizer } from "#core/actions/bins.ts";
import type { ActionSpace } from "#core/contracts/action.ts";
import { UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { buildVocabulary, type Vocabulary } from "#core/text/word-tokenizer.ts";
import { type RunSettings, type TrainResult, train, warmupCosine } from "#engine/index.ts";
import { type Backbone, encodeCaptions, initBackbone } from "#lapa/latent-vla/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { actionSpaceOf } from "./action-space.ts";
import type { FinetuneConfig } from "./config.ts";
import { type ActionVlaParameters, initActionHead } from "./model.ts";
import { createFinetuneStep, cutDemonstrations, finetuneBatch } from "./train-step.ts";

/** What travels with a policy's weights; it runs from its folder alone. */
export type PolicyStatistics = {
  readonly vocabulary: Vocabulary;
  readonly tokenizer: ActionTokenizer;
  readonly space: ActionSpace;
  readonly camera: string;
  readonly rateHz: number;
};

type Stage = { readonly trunk: boolean; readonly steps: number; readonly learningRate: number };

/** Stages of a recipe. A fresh backbone has nothing to protect: it is trained whole from the start. */
export function stagesOf(config: FinetuneConfig, isPretrained: boolean): Stage[] {
  const { steps, learningRate, fullShare } = config;
  const whole = { trunk: true, steps, learningRate };
  if (!isPretrained || config.recipe === "full") return [whole];
  if (config.recipe === "head") return [{ trunk: false, steps, learningRate }];
  const first = Math.max(1, Math.round(steps / 3));
  return [
    { trunk: false, steps: first, learningRate },
    { trunk: true, steps: Math.max(1, steps - first), learningRate: learningRate * fullShare },
  ];
}

function actionsOf(data: VideoData): Float32Array[] {
  return data.recorded.map((clip, index) => {
    if (clip !== undefined) return clip.actions;
    throw new UserError(
      `demonstrations: ${data.frames.clips[index]!.path} has no actions. Fine-tune on data sets (--data.datasets), not on plain videos.`,
    );
  });
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export type FinetuneOptions = {
  /** Left out: the baseline without latent pretraining ("Scratch"), with the same architecture and words. */
  readonly pretrained?: Backbone | undefined;
};

/**
 * Fine-tunes on demonstrations. Stages of a recipe are runs of their own inside the run folder; the last one's checkpoint is
 * the policy.
 *
 * @throws UserError when there are fewer samples than a batch or a clip has no actions
 */
export async function finetune(
  data: VideoData,
  given: FinetuneConfig,
  run: RunSettings,
  { pretrained }: FinetuneOptions = {},
): Promise<TrainResult> {
  const { frames } = data;
  const info = data.recorded[0]?.dataset;
  const actions = actionsOf(data);
  const all = joined(actions);
  const space = actionSpaceOf(info!, all, given.actionKind);
  const size = space.names.length;
  const vocabulary = pretrained?.vocabulary ?? buildVocabulary(frames.clips.map(({ caption = "" }) => caption));
  const model = pretrained?.config ?? { ...given.model, vocabularySize: vocabulary.length };
  const config = { ...given, model };
  const tokenizer = fitActionTokenizer(all, size, config.head.bins);
  const captions = encodeCaptions(frames, vocabulary, model.textLength);
  const demonstrations = cutDemonstrations(frames, captions, actions, tokenizer, config.head.chunkLength);
  if (demonstrations.samples.clip.length < config.batch) {
    throw new UserError(
      `demonstrations: must be at least one batch of ${config.batch} frames, got ${demonstrations.samples.clip.length}. Give more episodes or lower --batch.`,
    );
  }
  const shape = { dimensions: size, chunkLength: config.head.chunkLength, bins: binCount(tokenizer) };
  const rng = createRng(`finetune/${config.seed}`);
  let parameters: ActionVlaParameters = {
    trunk: pretrained?.trunk ?? initBackbone(rng.fork("trunk"), model),
    action: initActionHead(rng.fork("head"), model, shape),
  };
  const camera = data.frames.clips.length > 0 ? cameraName(info!.features, given.data.camera) : "";
  const statistics: PolicyStatistics = { vocabulary, tokenizer, space, camera, rateHz: info!.fps };

  const stages = stagesOf(config, pretrained !== undefined);
  let result: TrainResult | undefined;
  let done = 0;
  for (const [index, stage] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const step = await createFinetuneStep(config, shape, parameters, { trunk: stage.trunk, executor: run.executor });
    const before = done;
    try {
      result = await train({
        ...run,
        folder: isLast ? run.folder : join(run.folder, `stage-${index}`),
        step,
        batchAt: (at) => finetuneBatch(demonstrations, config, before + at),
        batchSize: config.batch,
        steps: stage.steps,
        learningRate: warmupCosine({
          peak: stage.learningRate,
          warmupSteps: Math.min(config.warmupSteps, stage.steps - 1),
          steps: stage.steps,
        }),
        config,
        engine: run.executor.kind,
        seed: config.seed,
        dataHash: data.hash,
        parents: pretrained === undefined ? [] : [pretrained.id],
        statistics: statistics as never,
        checkpointEvery: 200,
        onProgress: (progress) => run.onProgress?.({ ...progress, step: before + progress.step, steps: config.steps }),
      });
      parameters = (await step.state()).parameters as unknown as ActionVlaParameters;
    } finally {
      await step.dispose();
    }
    if (result.stopped === "aborted") return result;
    done += stage.steps;
  }
  return result!;
}

/** "observation.images.front" is camera "front". */
function cameraName(features: Readonly<Record<string, { readonly dtype: string }>>, asked: string): string {
  const videos = Object.keys(features).filter((key) => features[key]!.dtype === "video");
  const key = videos.find((name) => name === asked || name.endsWith(`.${asked}`)) ?? videos[0] ?? asked;
  return key.slice(key.lastIndexOf(".") + 1);
}
