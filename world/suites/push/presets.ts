import { parsePushConfig } from "./config.ts";

/**
 * - `demo`: three sentences about the red block; what a network of a fifth of a million parameters learns in minutes
 *   (the mixture of research calibration: 20 % reach, 40 % to an edge, 40 % block to block).
 * - `small`: every block and edge, one wording each.
 * - `language-table`: the five instruction kinds of Language Table (Lynch et al. 2022) with paraphrases and held-out
 *   combinations.
 * - `language-table-8`: the same among all eight blocks, with more time.
 */
export const pushPresets = {
  demo: parsePushConfig({
    kinds: {
      reach: 0.2,
      "block-to-place": 0.4,
      "block-to-block": 0.4,
      "block-to-relative-place": 0,
      "relative-move": 0,
      separate: 0,
    },
    subjects: ["red-cylinder"],
    references: ["blue-cube"],
    places: ["left edge"],
    phrasings: "one",
    holdOut: false,
  }),
  small: parsePushConfig({
    kinds: {
      reach: 0.2,
      "block-to-place": 0.4,
      "block-to-block": 0.4,
      "block-to-relative-place": 0,
      "relative-move": 0,
      separate: 0,
    },
    places: ["left edge", "right edge", "top edge", "bottom edge"],
    phrasings: "one",
  }),
  "language-table": parsePushConfig({}),
  "language-table-8": parsePushConfig({ blocks: 8, maxSteps: 100 }),
} as const;

export type PushPresetName = keyof typeof pushPresets;
