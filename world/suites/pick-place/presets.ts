import { parsePickPlaceConfig } from "./config.ts";

/**
 * - `simpler`: what SIMPLER asks of a WidowX (Li et al. 2024): stack, put on, put in, one wording each, nothing else about
 * - `pick-place`: all kinds, with paraphrases, held-out combinations and a thing that does not matter
 */
export const pickPlacePresets = {
  simpler: parsePickPlaceConfig({
    kinds: { "move-near": 0, "open-drawer": 0, "close-drawer": 0 },
    distractors: 0,
    phrasings: "one",
  }),
  "pick-place": parsePickPlaceConfig({}),
} as const;

export type PickPlacePresetName = keyof typeof pickPlacePresets;
