/** @file The train steps that are compared: the product's presets at their own batch, and one larger model at a small batch. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRng } from "#core/rng.ts";
import {
  type Executor,
  flattenTree,
  type HostArray,
  type HostInput,
  type InputSpec,
  sizeOf,
  type TrainStep,
  type Tree,
  writeSafetensors,
} from "#engine/index.ts";
import { finetuneConfig, finetunePresets } from "#lapa/finetune/index.ts";
import { initActionHead } from "#lapa/finetune/model.ts";
import { createFinetuneStep } from "#lapa/finetune/train-step.ts";
import { createLatentVlaStep, initBackbone, latentVlaPresets, latentVlaTrainConfig } from "#lapa/latent-vla/index.ts";
import { drawColour, quantizerInputs, quantizerPresets, quantizerTrainConfig } from "#lapa/quantizer/index.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";

export type StepProblem = {
  readonly name: string;
  readonly samples: number;
  readonly create: (executor: Executor) => Promise<TrainStep>;
  readonly batch: Readonly<Record<string, HostInput>>;
  readonly specs: Readonly<Record<string, InputSpec>>;
  /** What the Python side needs to know: kind, and the configuration. */
  readonly config: Readonly<Record<string, unknown>>;
};

/** Drawn data: pictures of noise, any word, code or bin. */
function draw(specs: Readonly<Record<string, InputSpec>>, ranges: Readonly<Record<string, number>>) {
  const rng = createRng("lapa-step");
  const entries = Object.entries(specs).map(([name, { shape, dtype }]): [string, HostInput] => {
    const length = sizeOf(shape);
    const own = rng.fork(name);
    if (dtype === "uint8") return [name, Uint8Array.from({ length }, () => own.integer(256))];
    if (dtype === "int32") return [name, Int32Array.from({ length }, () => own.integer(ranges[name] ?? 1))];
    const values = new Float32Array(length).fill(1);
    if (name === "colour")
      for (let row = 0; row < shape[0]!; row++) drawColour(own, { strength: 0.3 }, values, row * 12);
    return [name, values];
  });
  return Object.fromEntries(entries);
}

const pictures = (size: number, words: number, batch: number): Record<string, InputSpec> => ({
  images: { shape: [batch, size, size, 3], dtype: "uint8" },
  words: { shape: [batch, words], dtype: "int32" },
  colour: { shape: [batch, 12], dtype: "float32" },
});

function quantizerProblem(batch?: number): StepProblem {
  const config = quantizerTrainConfig.parse({ ...quantizerPresets.tiny, ...(batch ? { batch } : {}) });
  const specs = quantizerInputs(config);
  return {
    name: "quantizer tiny",
    samples: config.batch,
    create: (executor) => createQuantizerStep(config, executor),
    batch: draw(specs, { reseed: config.batch * config.model.codesPerStep }),
    specs,
    config: { kind: "quantizer", ...config },
  };
}

function latentProblem(preset: "tiny" | "small", batch?: number): StepProblem {
  const values = latentVlaPresets[preset];
  const { model, ...rest } = latentVlaTrainConfig.parse({ ...values, ...(batch ? { batch } : {}) });
  const config = { ...rest, model: { ...model, vocabularySize: 64 } };
  const specs = {
    ...pictures(model.imageSize, model.textLength, config.batch),
    codes: { shape: [config.batch, model.codesPerStep], dtype: "int32" } as const,
  };
  return {
    name: `latent-vla ${preset}`,
    samples: config.batch,
    create: (executor) => createLatentVlaStep(config, executor),
    batch: draw(specs, { words: 64, codes: model.codebookSize }),
    specs,
    config: { kind: "latent-vla", ...config },
  };
}

function finetuneProblem(given?: number): StepProblem {
  const { model, ...rest } = finetuneConfig.parse({ ...finetunePresets.tiny, ...(given ? { batch: given } : {}) });
  const config = { ...rest, model: { ...model, vocabularySize: 64 } };
  const { batch, head } = config;
  const shape = { dimensions: 7, chunkLength: head.chunkLength, bins: head.bins };
  const width = shape.dimensions * shape.chunkLength;
  const rng = createRng("finetune");
  const parameters = {
    trunk: initBackbone(rng.fork("trunk"), config.model),
    action: initActionHead(rng.fork("head"), config.model, shape),
  };
  const specs: Record<string, InputSpec> = {
    ...pictures(model.imageSize, model.textLength, batch),
    bins: { shape: [batch, width], dtype: "int32" },
    mask: { shape: [batch, width], dtype: "float32" },
  };
  return {
    name: "finetune tiny",
    samples: batch,
    create: (executor) => createFinetuneStep(config, shape, parameters, { trunk: true, executor }),
    batch: draw(specs, { words: 64, bins: head.bins }),
    specs,
    config: { kind: "finetune", ...config },
  };
}

/**
 * `small` at batch 16: at its own it would take minutes per round on two cores.
 *
 * @param batch replaces the presets'
 */
export const stepProblems = (batch?: number): StepProblem[] => [
  quantizerProblem(batch),
  latentProblem("tiny", batch),
  latentProblem("small", batch ?? 16),
  finetuneProblem(batch),
];

/** Writes weights, non-gradient state, batch and configuration for another framework. */
export async function writeStepProblem(folder: string, problem: StepProblem, executor: Executor): Promise<void> {
  const step = await problem.create(executor);
  const { parameters, extra } = await step.state();
  await step.dispose();
  const file = (name: string, arrays: readonly (readonly [string, HostArray])[]) =>
    writeSafetensors(join(folder, `${name}.safetensors`), new Map(arrays));
  await file("weights", flattenTree(parameters as Tree<HostArray>));
  await file("extra", flattenTree(extra as Tree<HostArray>));
  const batch = Object.entries(problem.batch).map(([name, data]): [string, HostArray] => {
    const { shape, dtype } = problem.specs[name]!;
    const isWhole = dtype === "int32";
    const array = isWhole ? Int32Array.from(data as Int32Array) : Float32Array.from(data as Float32Array);
    return [name, { shape, dtype: isWhole ? "int32" : "float32", data: array }];
  });
  await file("batch", batch);
  writeFileSync(join(folder, "config.json"), JSON.stringify(problem.config));
}
