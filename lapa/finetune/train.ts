/** @file Fine-tuning: a backbone, pretrained or fresh, learns a robot's actions from few demonstrations. */
import { join } from "node:path";
import { binCount } from "#core/actions/bins.ts";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { UserError } from "#core/errors.ts";
import { createRng } from "#core/rng.ts";
import { buildVocabulary, type Vocabulary } from "#core/text/word-tokenizer.ts";
import { type RunSettings, type TrainResult, train, warmupCosine } from "#engine/index.ts";
import {
  type Backbone,
  checkLabels,
  encodeCaptions,
  initBackbone,
  initLatentHead,
  type Perception,
  perceiveBatch,
  withPerception,
} from "#lapa/latent-vla/index.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { type ActionJudge, createActionJudge } from "./action-judge.ts";
import { actionSpaceOf, spaceSignature } from "./action-space.ts";
import type { FinetuneConfig } from "./config.ts";
import { cutDemonstrations, type Demonstrations } from "./demonstrations.ts";
import { type ActionShape, type ActionVlaParameters, initActionHead, initPreviousLatent } from "./model.ts";
import { fitActionStatistics, learnedDimensions, type PolicyStatistics } from "./statistics.ts";
import { createFinetuneStep, finetuneBatch } from "./train-step.ts";

export type { PolicyStatistics } from "./statistics.ts";

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

export function actionsOf(data: VideoData): Float32Array[] {
  return data.recorded.map((clip, index) => {
    if (clip !== undefined) return clip.actions;
    throw new UserError(
      `demonstrations: ${data.frames.clips[index]!.path} has no actions. Fine-tune on data sets (--data.datasets), not on plain videos.`,
    );
  });
}

export function joined(parts: readonly Float32Array[]): Float32Array {
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
  /** Latent actions of the demonstrations, for `latentLoss` and `previousLatent`. */
  readonly labels?: LatentLabels | undefined;
};

/** Space, rate and camera that all demonstrations share. @param all f32[N, A] their actions @throws UserError when two data sets differ */
export function demonstrationFacts(
  data: VideoData,
  given: Pick<FinetuneConfig, "actionKind" | "data">,
  all: Float32Array,
): Pick<PolicyStatistics, "space" | "camera" | "rateHz"> {
  const infos = [...new Set(data.recorded.map((clip) => clip!.dataset))];
  const first = infos[0]!;
  const space = actionSpaceOf(first, all, given.actionKind);
  for (const info of infos.slice(1)) {
    const other = actionSpaceOf(info, all, given.actionKind);
    if (spaceSignature(other) === spaceSignature(space) && info.fps === first.fps) continue;
    throw new UserError(
      `demonstrations: all must have one action space and rate, but ${first.path} has ${space.names.join(", ")} at ${first.fps} Hz and ${info.path} ${other.names.join(", ")} at ${info.fps} Hz. Fine-tune on one of them.`,
    );
  }
  return { space, camera: cameraName(first.features, given.data.camera), rateHz: first.fps };
}

/** Labels that were given and are needed. @throws UserError when they are needed and missing, or of other latent actions */
function neededLabels(
  data: VideoData,
  { latentLoss, previousLatent }: FinetuneConfig,
  { labels, pretrained }: FinetuneOptions,
): LatentLabels | undefined {
  if (latentLoss === 0 && !previousLatent) return undefined;
  if (latentLoss === 0) {
    throw new UserError(
      "latentLoss: must be above 0 with --previousLatent, got 0: acting, the policy recalls what its own latent head said. Pass --latentLoss 0.3.",
    );
  }
  if (labels === undefined) {
    throw new UserError(
      "labels: --latentLoss and --previousLatent need the latent actions of the demonstrations, got none. Label them (quantizer label) and pass --labels.",
    );
  }
  checkLabels(labels, data, pretrained?.latentOrigin);
  return labels;
}

/** Network and words: the pretrained backbone's, else as configured. */
function modelOf(data: VideoData, given: FinetuneConfig, options: FinetuneOptions, labels?: LatentLabels) {
  const { pretrained } = options;
  const captions = data.frames.clips.map(({ caption = "" }) => caption);
  const vocabulary = pretrained?.vocabulary ?? buildVocabulary(captions);
  if (pretrained !== undefined) return { vocabulary, model: pretrained.config };
  const codes = labels === undefined ? {} : { codebookSize: labels.codebookSize, codesPerStep: labels.codesPerStep };
  return { vocabulary, model: { ...given.model, vocabularySize: vocabulary.length, ...codes } };
}

function initParameters(
  config: FinetuneConfig,
  shape: ActionShape,
  pretrained: Backbone | undefined,
): ActionVlaParameters {
  const { model, seed, latentLoss, previousLatent } = config;
  const rng = createRng(`finetune/${seed}`);
  return {
    trunk: pretrained?.trunk ?? initBackbone(rng.fork("trunk"), model),
    action: initActionHead(rng.fork("head"), model, shape),
    ...(latentLoss > 0 || previousLatent
      ? { latent: pretrained?.latent ?? initLatentHead(rng.fork("latent"), model) }
      : {}),
    ...(previousLatent ? { previous: initPreviousLatent(rng.fork("previous"), model, pretrained?.latent?.codes) } : {}),
  };
}

/**
 * Fine-tunes on demonstrations; clips that are held out are measured, not learned. Stages of a recipe are runs of their own
 * inside the run folder; the last one's checkpoint is the policy.
 *
 * @throws UserError when there are fewer samples than a batch, a clip has no actions, data sets do not go together, or labels
 *   are missing or of other videos, another quantizer or another offset
 * @throws ConfigError when an instruction is longer than the context
 */
export async function finetune(
  data: VideoData,
  given: FinetuneConfig,
  run: RunSettings,
  options: FinetuneOptions = {},
): Promise<TrainResult> {
  const labels = neededLabels(data, given, options);
  const { vocabulary, model } = modelOf(data, given, options, labels);
  return withPerception(model, vocabulary, run.executor, (perception) =>
    finetuneSeeing(data, { ...given, model: perception.config }, run, {
      ...{ pretrained: options.pretrained, labels, vocabulary, perception },
    }),
  );
}

type Seeing = FinetuneOptions & { readonly vocabulary: Vocabulary; readonly perception: Perception };

async function finetuneSeeing(
  data: VideoData,
  config: FinetuneConfig,
  run: RunSettings,
  { pretrained, labels, vocabulary, perception }: Seeing,
): Promise<TrainResult> {
  const actions = actionsOf(data);
  const learned = joined(actions.filter((_, clip) => !data.heldOut[clip]));
  const facts = demonstrationFacts(data, config, learned);
  const { names } = facts.space;
  const fitted = fitActionStatistics(learned, names, config);
  const captions = await encodeCaptions(data.frames, perception);
  const cut = (isHeldOut: boolean) =>
    cutDemonstrations(data.frames, captions, actions, fitted.tokenizer, config.head.chunkLength, {
      ...{ normalisation: fitted.normalisation, labels },
      keep: (clip) => data.heldOut[clip] === isHeldOut,
    });
  const demonstrations = cut(false);
  if (demonstrations.samples.clip.length < config.batch) {
    throw new UserError(
      `demonstrations: must be at least one batch of ${config.batch} frames, got ${demonstrations.samples.clip.length}. Give more episodes or lower --batch.`,
    );
  }
  const { kind, order, chunkLength } = config.head;
  const shape = { dimensions: names.length, chunkLength, bins: binCount(fitted.tokenizer), kind, order };
  const latent = labels && { quantizerHash: labels.quantizerHash, offsetS: labels.offsetS };
  const statistics: PolicyStatistics = { vocabulary, ...fitted, ...facts, ...(latent ? { latent } : {}) };
  const heldOut = cut(true);
  const parameters = initParameters(config, shape, pretrained);
  const judged = { policyId: "", backbone: config.model, head: config.head, parameters, ...statistics };
  const judge =
    heldOut.samples.clip.length > 0
      ? await createActionJudge(heldOut, config, judged, { perception, executor: run.executor })
      : undefined;
  logFixed(statistics, run);
  try {
    return await runStages({
      data,
      config,
      run,
      shape,
      parameters,
      statistics,
      demonstrations,
      perception,
      pretrained,
      judge,
    });
  } finally {
    await judge?.dispose();
  }
}

/** Dimensions that the policy will not move are worth a line. */
function logFixed({ tokenizer, space }: PolicyStatistics, { log }: RunSettings): void {
  const fixed = space.names.filter((_, index) => !learnedDimensions(tokenizer)[index]);
  if (fixed.length > 0) log?.info(`actions: ${fixed.join(", ")} never change or are ignored: answered as they are.`);
}

type Stages = {
  readonly data: VideoData;
  readonly config: FinetuneConfig;
  readonly run: RunSettings;
  readonly shape: ActionShape;
  readonly parameters: ActionVlaParameters;
  readonly statistics: PolicyStatistics;
  readonly demonstrations: Demonstrations;
  readonly perception: Perception;
  readonly pretrained: Backbone | undefined;
  readonly judge: ActionJudge | undefined;
};

async function runStages(all: Stages): Promise<TrainResult> {
  const { data, config, run, shape, statistics, demonstrations, perception, pretrained, judge } = all;
  let { parameters } = all;
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
        batchAt: (at) => perceiveBatch(config.model, perception, finetuneBatch(demonstrations, config, before + at)),
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
        ...(judge === undefined ? {} : { evaluation: { every: 200, measure: judge.measure } }),
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
