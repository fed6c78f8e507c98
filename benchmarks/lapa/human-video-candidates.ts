/** @file Ways of learning latent actions from people's videos, among which clips that are not tested choose. */
import type { z } from "zod";
import type { quantizerTrainConfig } from "#lapa/quantizer/index.ts";

export type HumanVideoCandidate = {
  readonly fit: "crop" | "stretch";
  /** Clips of cameras on a stand, or all. */
  readonly cameras: "still" | "all";
  /** Carry the second frame of a pair into the first one's view. */
  readonly compensated: boolean;
  /** Pictures are this much larger than what the quantizer sees of them: the window that follows the change. */
  readonly zoom: number;
  readonly quantizer: z.input<typeof quantizerTrainConfig>;
};

/** Few clips: mirrored both ways they are four times as many. */
const quantizer = {
  ...{ steps: 400, batch: 32, offsetS: 0.3, mirror: true, polarity: false, allowCollapse: true },
  model: { motionWeight: 5, decoderDepth: 1 },
} as const;

const window = { fit: "stretch", cameras: "all", compensated: true, zoom: 1.5, quantizer } as const;

export const humanVideoCandidates = {
  window,
  longer: { ...window, quantizer: { ...quantizer, steps: 1000 } },
  "half a second": { ...window, quantizer: { ...quantizer, offsetS: 0.5 } },
  "whole picture": { ...window, zoom: 1 },
  "camera as filmed": { ...window, compensated: false },
  // What the demo trains, on the clips as they are.
  demo: {
    ...{ fit: "crop", cameras: "all", compensated: false, zoom: 1 },
    quantizer: { steps: 400, batch: 32, allowCollapse: true },
  },
} as const satisfies Record<string, HumanVideoCandidate>;

export type HumanVideoCandidateName = keyof typeof humanVideoCandidates;
export const humanVideoCandidateNames = Object.keys(humanVideoCandidates) as HumanVideoCandidateName[];

/** What `bench lapa-human-video` chose; other benchmarks learn from people's videos this way. */
export const humanVideoBest: HumanVideoCandidate = humanVideoCandidates.window;
