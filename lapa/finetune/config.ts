import { z } from "zod";
import { backboneConfig } from "#lapa/latent-vla/index.ts";
import { videoDataConfig } from "#lapa/quantizer/index.ts";

/** The action head: what is asked of the backbone and how its answer is read. */
export const actionHeadConfig = z.strictObject({
  kind: z
    .enum(["bins", "flow"])
    .default("bins")
    .describe("bins: each number as one of its dimension's bins; flow: continuous, by flow matching (pi0)"),
  order: z
    .enum(["parallel", "autoregressive"])
    .default("parallel")
    .describe("bins at once, or one after another as published"),
  binValue: z
    .enum(["mean", "middle"])
    .default("mean")
    .describe("what a bin stands for: the mean of what fell into it, or the middle of its edges as published"),
  ensemble: z
    .boolean()
    .default(false)
    .describe("answers are averaged with earlier chunks' words about the same instant (ACT's temporal ensemble)"),
  ensembleDecay: z.number().min(0).default(0.01).describe("how much less each younger chunk counts, per chunk"),
  flowSteps: z.number().int().min(1).default(10).describe("Euler steps from noise to actions (flow)"),
  bins: z.number().int().min(2).max(1024).default(32).describe("equal-frequency bins per action dimension, at most"),
  chunkLength: z.number().int().min(1).default(4).describe("actions predicted at once, control steps"),
  smoothing: z.number().min(0).lt(1).default(0.05).describe("label smoothing of the bins"),
  decoding: z
    .enum(["mean", "argmax"])
    .default("mean")
    .describe("mean: expected value over the bins; argmax: the likeliest bin, as published"),
});

export type ActionHeadConfig = z.infer<typeof actionHeadConfig>;

/** What of the backbone is trained. */
export const recipes = ["full", "head", "head-then-full"] as const;

export const finetuneConfig = z.strictObject({
  model: backboneConfig.prefault({}),
  data: videoDataConfig.prefault({}),
  actionKind: z
    .enum(["joint-position", "joint-velocity", "end-effector-delta", "planar-delta"])
    .default("joint-position")
    .describe("what the actions are, for data sets that do not say it themselves"),
  head: actionHeadConfig.prefault({}),
  recipe: z
    .enum(recipes)
    .default("head-then-full")
    .describe("full: everything; head: backbone frozen; head-then-full: the first third the head alone"),
  steps: z.number().int().positive().default(600).describe("training steps"),
  batch: z.number().int().positive().default(64).describe("samples per step"),
  learningRate: z.number().positive().default(1e-3).describe("peak learning rate, cosine to a tenth"),
  fullShare: z
    .number()
    .positive()
    .max(1)
    .default(0.5)
    .describe("peak learning rate of the whole network as a share of the head's, after the head alone"),
  warmupSteps: z.number().int().min(0).default(30).describe("linear warm-up, steps"),
  weightDecay: z.number().min(0).default(0.02).describe("decoupled weight decay"),
  clipNorm: z.number().positive().default(1).describe("global gradient norm limit"),
  shiftPixels: z.number().int().min(0).default(2).describe("random shift of the picture, pixels"),
  augment: z.number().min(0).max(1).default(0.15).describe("strength of colour augmentation; 0 = none"),
  ignore: z
    .array(z.string())
    .default([])
    .describe("names of action dimensions that are not learned: the policy answers their median"),
  latentLoss: z.number().min(0).default(0).describe("weight of the latent loss that is kept beside the action loss"),
  previousLatent: z
    .boolean()
    .default(false)
    .describe("the prompt also holds the latent action that led to the picture (needs labels)"),
  seed: z.number().int().default(0).describe("seed of weights, batches and augmentation"),
});

export type FinetuneConfig = z.infer<typeof finetuneConfig>;
