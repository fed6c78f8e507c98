import type { z } from "zod";
import type { latentVlaTrainConfig } from "./config.ts";

type Preset = z.input<typeof latentVlaTrainConfig>;

/**
 * `tiny`: what the demo trains, minutes on two cores. `small` (5 M parameters): hours on a few cores, minutes on a GPU.
 * `base` (86 M, the shape of ViT-B/16): a GPU. `paper`: LWM-Chat-1M-Jax, a 7B Llama-2, as LAPA trains it (arXiv 2410.11758,
 * latent_pretraining/delta_llama.py, scripts/latent_pretrain_openx.sh); pictures come as codes of LWM's VQGAN, which must be
 * there as an ONNX file. `latent-vla train --preset NAME --dryRun` says what each needs.
 */
export const latentVlaPresets = {
  tiny: { steps: 1000, batch: 128, learningRate: 2e-3 },
  small: {
    model: { imageSize: 128, stem: "patches", patchSize: 16, width: 256, depth: 6, heads: 8, textLength: 24 },
    ...{ steps: 5000, batch: 128, learningRate: 1e-3, warmupSteps: 200, shiftPixels: 6 },
  },
  base: {
    model: {
      ...{ imageSize: 224, stem: "patches", patchSize: 16, width: 768, depth: 12, heads: 12, textLength: 32 },
      latentDecoding: "autoregressive",
    },
    ...{ steps: 50_000, batch: 256, learningRate: 3e-4, warmupSteps: 1000, weightDecay: 0.05, shiftPixels: 10 },
  },
  paper: {
    model: {
      ...{ imageSize: 256, stem: "encoder", imageEncoder: { codes: 8448, tokens: 256 } },
      ...{ block: "llama", width: 4096, depth: 32, heads: 32, hidden: 11_008, vocabularySize: 32_000, textLength: 128 },
      ...{ codebookSize: 8, codesPerStep: 4, latentDecoding: "autoregressive" },
    },
    ...{ steps: 70_000, batch: 256, learningRate: 2e-5, warmupSteps: 0, weightDecay: 0, shiftPixels: 0, augment: 0 },
  },
} as const satisfies Record<string, Preset>;
