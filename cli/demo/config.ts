import { z } from "zod";
import { finetuneConfig, finetunePresets } from "#lapa/finetune/index.ts";
import { latentVlaPresets, latentVlaTrainConfig } from "#lapa/latent-vla/index.ts";
import { quantizerPresets, quantizerTrainConfig } from "#lapa/quantizer/index.ts";
import { engineConfig } from "../training.ts";

/** The body that learns from videos of hands; its demonstrations are few. */
export const demoRobot = "arm";

const count = (value: number, meaning: string) => z.number().int().positive().default(value).describe(meaning);

export const demoConfig = z.strictObject({
  videos: z.string().default("").describe("folder of real videos to pretrain on; empty: simulated videos of a hand"),
  folder: z.string().default("runs/demo").describe("where everything goes"),
  fresh: z.boolean().default(false).describe("start over: remove what an earlier run left"),
  open: z.boolean().default(false).describe("open report and viewer in a browser at the end"),
  results: z.string().default("").describe("folder for the result as JSON, beside the one in FOLDER"),
  episodes: count(600, "simulated videos"),
  demonstrations: count(30, "labelled episodes of the arm"),
  rollouts: count(200, "evaluation episodes of each policy"),
  pictureSize: z.number().int().min(32).max(512).multipleOf(2).default(128).describe("side of the videos, pixels"),
  seed: z.number().int().min(0).default(0).describe("seed of everything"),
  engine: engineConfig.prefault({}),
  quantizer: quantizerTrainConfig.prefault(quantizerPresets.tiny),
  latentVla: latentVlaTrainConfig.prefault(latentVlaPresets.tiny),
  finetune: finetuneConfig.prefault(finetunePresets.tiny),
});

export type DemoConfig = z.infer<typeof demoConfig>;

/** `smoke` takes a minute and proves nothing but that the path holds together. */
export const demoPresets = {
  smoke: {
    episodes: 24,
    demonstrations: 12,
    rollouts: 8,
    pictureSize: 64,
    quantizer: { steps: 20, batch: 16 },
    latentVla: { steps: 20, batch: 16 },
    finetune: { steps: 12, batch: 16 },
  },
} as const;
