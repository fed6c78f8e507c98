import type { z } from "zod";
import type { quantizerTrainConfig } from "./config.ts";

type Preset = z.input<typeof quantizerTrainConfig>;

/** What the published code trains with (upstream: laq/train_sthv2.py, laq/laq_model/laq_trainer.py). */
const asPublished = {
  learningRate: 1e-4,
  schedule: "constant",
  warmupSteps: 0,
  beta2: 0.99,
  weightDecay: 0,
  clipNorm: 0.5,
  batch: 64,
  minMotion: 0,
  augment: 0,
  polarity: false,
  grounding: false,
  labelledShare: 0,
} as const satisfies Preset;

const publishedModel = {
  architecture: "published",
  quantization: "nsvq",
  codebookSize: 8,
  codesPerStep: 4,
  codeWidth: 32,
  relative: false,
  motionWeight: 0,
  commitment: 0,
} as const satisfies Preset["model"];

/**
 * `tiny`: what the demo trains, minutes on two cores. `paper`: the published quantizer, 343,796,080 parameters, offset of
 * Something-Something v2 (30 frames). `paper-small`: the same network and loss at the size of `tiny`, for comparison.
 */
export const quantizerPresets = {
  tiny: { steps: 700, batch: 64 },
  paper: {
    ...asPublished,
    steps: 100_005,
    offsetS: 2.4,
    model: {
      ...publishedModel,
      imageSize: 256,
      patchSize: 32,
      width: 1024,
      heads: 16,
      spatialDepth: 8,
      temporalDepth: 8,
      decoderDepth: 8,
    },
  },
  "paper-small": {
    ...asPublished,
    steps: 700,
    // A network a thousand times smaller learns at a higher rate.
    learningRate: 1e-3,
    model: {
      ...publishedModel,
      imageSize: 64,
      patchSize: 8,
      width: 96,
      heads: 4,
      spatialDepth: 2,
      temporalDepth: 2,
      decoderDepth: 2,
    },
  },
} as const satisfies Record<string, Preset>;
