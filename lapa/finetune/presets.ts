import type { z } from "zod";
import type { finetuneConfig } from "./config.ts";

type Preset = z.input<typeof finetuneConfig>;

/** `tiny`: what the demo trains, a minute on two cores. */
export const finetunePresets = {
  tiny: { steps: 400, batch: 64, recipe: "full", shiftPixels: 3, augment: 0.2 },
} as const satisfies Record<string, Preset>;
