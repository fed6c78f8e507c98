/** @file One train step of each of the product's presets, at its own batch, on drawn data. */
import { createRng, type Rng } from "#core/rng.ts";
import { type HostInput, sizeOf } from "#engine/index.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { initActionHead } from "#lapa/finetune/model.ts";
import { finetunePresets } from "#lapa/finetune/presets.ts";
import { createFinetuneStep } from "#lapa/finetune/train-step.ts";
import { createLatentVlaStep, initBackbone, latentVlaPresets, latentVlaTrainConfig } from "#lapa/latent-vla/index.ts";
import { quantizerInputs, quantizerPresets, quantizerTrainConfig } from "#lapa/quantizer/index.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";
import type { Problem } from "./contestants.ts";

type Spec = { readonly shape: readonly number[]; readonly dtype: string };

function draw(specs: Readonly<Record<string, Spec>>): Record<string, HostInput> {
  const rng = createRng("presets");
  const numbers = (own: Rng, { shape, dtype }: Spec): HostInput => {
    const length = sizeOf(shape);
    if (dtype === "uint8") return Uint8Array.from({ length }, () => own.integer(256));
    // 0 is a word, a code and a bin of every vocabulary.
    if (dtype === "int32") return new Int32Array(length);
    return Float32Array.from({ length }, () => own.normal());
  };
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, numbers(rng.fork(name), spec)]));
}

export function presetProblems(): { readonly name: string; readonly problem: Problem }[] {
  const quantizer = quantizerTrainConfig.parse(quantizerPresets.tiny);
  const latent = latentVlaTrainConfig.parse(latentVlaPresets.tiny);
  const finetune = finetuneConfig.parse(finetunePresets.tiny);
  const shape = { dimensions: 3, chunkLength: finetune.head.chunkLength, bins: finetune.head.bins };
  const width = shape.dimensions * shape.chunkLength;
  const pictures = ({ imageSize, textLength }: { imageSize: number; textLength: number }, batch: number) => ({
    images: { shape: [batch, imageSize, imageSize, 3], dtype: "uint8" },
    words: { shape: [batch, textLength], dtype: "int32" },
    colour: { shape: [batch, 12], dtype: "float32" },
  });
  const rng = createRng("finetune");
  const parameters = {
    trunk: initBackbone(rng.fork("trunk"), finetune.model),
    action: initActionHead(rng.fork("head"), finetune.model, shape),
  };
  return [
    {
      name: "quantizer tiny",
      problem: {
        create: (executor) => createQuantizerStep(quantizer, executor),
        batch: draw(quantizerInputs(quantizer)),
      },
    },
    {
      name: "latent-vla tiny",
      problem: {
        create: (executor) => createLatentVlaStep(latent, executor),
        batch: draw({
          ...pictures(latent.model, latent.batch),
          codes: { shape: [latent.batch, latent.model.codesPerStep], dtype: "int32" },
        }),
      },
    },
    {
      name: "finetune tiny",
      problem: {
        create: (executor) => createFinetuneStep(finetune, shape, parameters, { trunk: true, executor }),
        batch: draw({
          ...pictures(finetune.model, finetune.batch),
          bins: { shape: [finetune.batch, width], dtype: "int32" },
          mask: { shape: [finetune.batch, width], dtype: "float32" },
        }),
      },
    },
  ];
}
