import type { z } from "zod";
import type { quantizerTrainConfig } from "./config.ts";

type Preset = z.input<typeof quantizerTrainConfig>;

/** `tiny`: what the demo trains, minutes on two cores. */
export const quantizerPresets = {
  tiny: { steps: 700, batch: 64 },
} as const satisfies Record<string, Preset>;
