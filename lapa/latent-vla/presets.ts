import type { z } from "zod";
import type { latentVlaTrainConfig } from "./config.ts";

type Preset = z.input<typeof latentVlaTrainConfig>;

/** `tiny`: what the demo trains, minutes on two cores. */
export const latentVlaPresets = {
  tiny: { steps: 800, batch: 128, learningRate: 2e-3 },
} as const satisfies Record<string, Preset>;
