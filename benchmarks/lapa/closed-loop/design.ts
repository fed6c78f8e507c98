/** @file What the closed-loop benchmark compares: suites, settings and arms, as data. */
import type { FinetuneConfig } from "#lapa/finetune/index.ts";
import { pickPlacePresets, pushPresets } from "#world/index.ts";

/**
 * The suites, at the difficulty that a fifth of a million weights learns in minutes.
 *
 * - `push`: three sentences about the red block (counterpart of Language Table), planar deltas at 10 Hz
 * - `pick-place`: stack, put on, put in (counterpart of SIMPLER), end-effector deltas with gripper at 5 Hz
 */
export const benchSuites = {
  push: { suite: pushPresets.demo, robot: "arm", offsetS: 0.4 },
  "pick-place": { suite: pickPlacePresets.simpler, robot: "widowx", offsetS: 0.6 },
} as const;
export type BenchSuite = keyof typeof benchSuites;

/**
 * - `in-domain`: the videos show the robot itself, without its actions
 * - `cross-embodiment`: the videos show hands, before another camera and on other tables
 * - `cross-task`: videos of all tasks, but the labelled episodes are of one kind of task alone
 */
export const settings = ["in-domain", "cross-embodiment", "cross-task"] as const;
export type Setting = (typeof settings)[number];

/**
 * All arms but `unipi` have one backbone, one number of steps and the same labelled episodes; they differ in what
 * pretraining is told.
 *
 * - `scratch`: no pretraining
 * - `unipi`: draws the frame to come, and the inverse model of `vpt` says which action leads there
 * - `vpt`: an inverse model fitted on the labelled episodes guesses the actions of all videos
 * - `lapa`: codes of the published quantizer (patches, noise substitution, plain MSE), never shown a label
 * - `lapaImproved`: codes of ours (keypoints, antisymmetric, relative error), grounded on the labelled episodes
 * - `actionVla`: the true actions of all the robot's episodes, the upper bound
 */
export const arms = ["scratch", "unipi", "vpt", "lapa", "lapaImproved", "actionVla"] as const;
export type Arm = (typeof arms)[number];

/** Tasks on which policies are played: as in training but from other starts, and with looks that were never trained. */
export const conditions = ["seen", "otherLooks"] as const;
export type Condition = (typeof conditions)[number];

/** How much is trained and played. */
export type Scale = {
  readonly videos: number;
  readonly quantizerSteps: number;
  readonly latentSteps: number;
  readonly finetuneSteps: number;
  readonly inverseSteps: number;
  readonly rollouts: number;
  readonly validations: number;
  readonly pictureSize: number;
  /** How a pretrained backbone may be fine-tuned; each cell takes the one that does best on validation tasks. */
  readonly recipes: readonly FinetuneConfig["recipe"][];
};

export const scales = {
  /** One seed of one setting: an hour on two fast cores. */
  full: {
    ...{ videos: 600, quantizerSteps: 700, latentSteps: 800, finetuneSteps: 400, inverseSteps: 500 },
    ...{ rollouts: 200, validations: 64, pictureSize: 128 },
    recipes: ["full", "head-then-full", "head"],
  },
  /** Half of that, on slow ones. */
  brief: {
    ...{ videos: 600, quantizerSteps: 500, latentSteps: 500, finetuneSteps: 300, inverseSteps: 400 },
    ...{ rollouts: 200, validations: 48, pictureSize: 128 },
    recipes: ["full", "head"],
  },
  /** Minutes; proves only that every arm runs. */
  smoke: {
    ...{ videos: 24, quantizerSteps: 12, latentSteps: 10, finetuneSteps: 8, inverseSteps: 8 },
    ...{ rollouts: 8, validations: 4, pictureSize: 64 },
    recipes: ["full"],
  },
} as const satisfies Record<string, Scale>;
export type ScaleName = keyof typeof scales;
