/**
 * @file The product's own models on any executor, as their presets say but with small batches of drawn data. The oracle takes
 * seconds where a GPU takes microseconds, so the sizes of larger presets than `tiny` are capped; every switch of theirs stays.
 */
import { createRng, type Rng } from "#core/rng.ts";
import {
  type Executor,
  flattenTree,
  type HostArray,
  type HostInput,
  type Schedule,
  sizeOf,
  type TrainStep,
  warmupCosine,
} from "#engine/index.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { initActionHead } from "#lapa/finetune/model.ts";
import { finetunePresets } from "#lapa/finetune/presets.ts";
import { createFinetuneStep } from "#lapa/finetune/train-step.ts";
import { initBackbone } from "#lapa/latent-vla/backbone.ts";
import { latentVlaTrainConfig } from "#lapa/latent-vla/config.ts";
import { latentVlaPresets } from "#lapa/latent-vla/presets.ts";
import { createLatentVlaStep } from "#lapa/latent-vla/train-step.ts";
import { drawColour } from "#lapa/quantizer/colour.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { quantizerPresets } from "#lapa/quantizer/presets.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";

export type PresetTraining = {
  readonly name: string;
  /** The preset's own: the first steps are its warm-up. */
  readonly learningRate: Schedule;
  create(executor: Executor): Promise<TrainStep>;
  /** Upper ends of the whole-number inputs. */
  readonly ranges: Readonly<Record<string, number>>;
};

const scheduleOf = (config: { learningRate: number; warmupSteps: number; steps: number }): Schedule =>
  warmupCosine({ peak: config.learningRate, warmupSteps: config.warmupSteps, steps: config.steps });

/** Largest sizes of the presets that are not `tiny`. */
const caps: Readonly<Record<string, number>> = {
  ...{ imageSize: 32, patchSize: 8, width: 32, hidden: 88, heads: 4, depth: 2, textLength: 8 },
  ...{ vocabularySize: 32, spatialDepth: 1, temporalDepth: 1, decoderDepth: 1, codes: 32, tokens: 16 },
};

/** The settings of a preset, no size above its cap. */
function capSizes<T>(values: T): T {
  if (typeof values !== "object" || values === null || Array.isArray(values)) return values;
  const entries = Object.entries(values).map(([name, value]) => {
    const cap = caps[name];
    return [name, typeof value === "number" && cap !== undefined ? Math.min(value, cap) : capSizes(value)];
  });
  return Object.fromEntries(entries) as T;
}

/** Fine-tuning presets leave the backbone to what was pretrained: a small one. */
const smallBackbone = capSizes(latentVlaPresets.small.model);

const capped = <T extends object>(presets: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(presets).map(([name, values]) => [name, name === "tiny" ? values : capSizes(values)]);

/** Every preset of quantizer, latent VLA and fine-tuning. @param batch replaces the preset's */
export function presetTrainings(batch: number): PresetTraining[] {
  const quantizers = capped(quantizerPresets).map(([preset, values]): PresetTraining => {
    const config = quantizerTrainConfig.parse({ ...values, batch });
    const trained = { ...config, model: { ...config.model, groundingDims: 2 } };
    return {
      name: `quantizer ${preset}`,
      learningRate: scheduleOf(config),
      create: (executor) => createQuantizerStep(trained, executor),
      ranges: { reseed: batch * config.model.codesPerStep },
    };
  });
  const latents = capped(latentVlaPresets).map(([preset, values]): PresetTraining => {
    const config = latentVlaTrainConfig.parse({ ...values, batch });
    return {
      name: `latent-vla ${preset}`,
      learningRate: scheduleOf(config),
      create: (executor) => createLatentVlaStep(config, executor),
      ranges: { words: config.model.vocabularySize, codes: config.model.codebookSize, images: 32 },
    };
  });
  const finetunes = capped(finetunePresets).map(([preset, values]): PresetTraining => {
    const config = finetuneConfig.parse({ ...values, batch, ...(preset === "tiny" ? {} : { model: smallBackbone }) });
    const shape = { dimensions: 3, chunkLength: config.head.chunkLength, bins: config.head.bins };
    const rng = createRng("finetune");
    const parameters = () => ({
      trunk: initBackbone(rng.fork("trunk"), config.model),
      action: initActionHead(rng.fork("head"), config.model, shape),
    });
    return {
      name: `finetune ${preset}`,
      learningRate: scheduleOf(config),
      create: (executor) => createFinetuneStep(config, shape, parameters(), { trunk: true, executor }),
      ranges: { words: config.model.vocabularySize, bins: shape.bins },
    };
  });
  return [...quantizers, ...latents, ...finetunes];
}

function drawInput(name: string, shape: readonly number[], dtype: string, rng: Rng, range: number): HostInput {
  const length = sizeOf(shape);
  if (dtype === "uint8") return Uint8Array.from({ length }, () => rng.integer(256));
  if (dtype === "int32") return Int32Array.from({ length }, () => rng.integer(range));
  if (name === "mask" || name === "known") return new Float32Array(length).fill(1);
  const values = new Float32Array(length);
  if (name === "colour") {
    const width = shape[1]!;
    for (let row = 0; row < shape[0]!; row++) drawColour(rng, { strength: 0.2 }, values, row * width);
    return values;
  }
  return values.map(() => rng.normal());
}

export type TrainingTrace = { readonly losses: readonly number[]; readonly before: Weights; readonly after: Weights };
type Weights = ReadonlyMap<string, HostArray>;

/** Trains `steps` steps; the data are a function of the step alone. */
export async function runTraining(training: PresetTraining, executor: Executor, steps: number): Promise<TrainingTrace> {
  const step = await training.create(executor);
  const weights = async () => new Map(flattenTree((await step.state()).parameters));
  const before = await weights();
  const losses: number[] = [];
  for (let index = 0; index < steps; index++) {
    const rng = createRng(training.name).fork(index);
    const inputs = Object.entries(step.compiled.inputs)
      .filter(([name]) => name !== "learningRate")
      .map(([name, { shape, dtype }]) => [
        name,
        drawInput(name, shape, dtype, rng.fork(name), training.ranges[name] ?? 1),
      ]);
    const { loss } = await step.run(Object.fromEntries(inputs), { learningRate: training.learningRate(index) });
    losses.push(loss!.data[0]!);
  }
  const after = await weights();
  await step.dispose();
  return { losses, before, after };
}

/** How far two trainings ended from each other, as a share of how far they went: `|w - w'| / |w' - w₀|` over all weights. */
export function divergence(got: TrainingTrace, want: TrainingTrace): number {
  let apart = 0;
  let moved = 0;
  for (const [path, { data }] of want.after) {
    const [start, other] = [want.before.get(path)!.data, got.after.get(path)!.data];
    data.forEach((value, index) => {
      apart += (other[index]! - value) ** 2;
      moved += (value - start[index]!) ** 2;
    });
  }
  return Math.sqrt(apart / moved);
}
