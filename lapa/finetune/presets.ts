import type { z } from "zod";
import type { finetuneConfig } from "./config.ts";

type Preset = z.input<typeof finetuneConfig>;

/** `tiny`: what the demo trains, a minute on two cores. */
export const finetunePresets = {
  tiny: { steps: 600, batch: 64 },
} as const satisfies Record<string, Preset>;
