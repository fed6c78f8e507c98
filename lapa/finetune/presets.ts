import type { z } from "zod";
import type { finetuneConfig } from "./config.ts";

type Preset = z.input<typeof finetuneConfig>;

/**
 * `tiny`: what the demo trains, a minute on two cores. `small`: for backbones of `latent-vla --preset small` and larger.
 * `paper`: as LAPA fine-tunes on a real robot (arXiv 2410.11758 section 3.3, scripts/finetune_real.sh), but never sampled.
 */
export const finetunePresets = {
  tiny: { steps: 400, batch: 64, recipe: "full", shiftPixels: 3, augment: 0.2 },
  small: { steps: 2000, batch: 64, learningRate: 5e-4, warmupSteps: 100, shiftPixels: 6, head: { bins: 64 } },
  paper: {
    head: {
      ...{ bins: 256, chunkLength: 1, smoothing: 0, order: "autoregressive" },
      ...{ decoding: "argmax", binValue: "middle" },
    },
    ...{ recipe: "full", steps: 2000, batch: 128, learningRate: 2e-5, warmupSteps: 0, weightDecay: 0 },
    ...{ shiftPixels: 13, augment: 0.2 },
  },
} as const satisfies Record<string, Preset>;
