import { z } from "zod";
import { readLatentLabels } from "#datasets/labels.ts";
import {
  latentVlaPresets,
  latentVlaTrainConfig,
  type ModelSize,
  modelSize,
  trainLatentVla,
} from "#lapa/latent-vla/index.ts";
import { defineCommand } from "../command.ts";
import { openData, runFields, runName, withRun } from "../training.ts";

function gigabytes(bytes: number): string {
  const size = bytes / 2 ** 30;
  return `${size >= 100 ? Math.round(size) : size.toPrecision(3)} GiB`;
}

function describeSize({ parts, parameters, tokens, bytes }: ModelSize, batch: number): string[] {
  const counted = Object.entries(parts).map(([name, count]) => `${name} ${count.toLocaleString("en")}`);
  return [
    `parameters: ${parameters.toLocaleString("en")} (${counted.join(", ")})`,
    `tokens per sample: ${tokens}`,
    `memory to train, float32, batch ${batch}: about ${gigabytes(bytes.training)} (weights ${gigabytes(bytes.weights)}, gradients the same, moments ${gigabytes(bytes.optimizer)}, activations ${gigabytes(bytes.activations)})`,
    `memory to act: about ${gigabytes(bytes.inference)}`,
  ];
}

export const trainLatentVlaCommand = defineCommand({
  summary: "pretrains the backbone to say which latent action follows a picture and an instruction",
  config: latentVlaTrainConfig.extend({
    labels: z.string().default("data/labels.parquet").describe("labels of the same videos (quantizer label)"),
    dryRun: z.boolean().default(false).describe("says how large the model is and what memory it needs; trains nothing"),
    run: runName("latent-vla"),
    ...runFields,
  }),
  presets: latentVlaPresets,
  example: "latent-vla train --preset tiny --labels data/labels.parquet --data.videos data/videos",
  async run({ labels: file, dryRun, run, resume, engine, ...config }, context) {
    if (dryRun) {
      const size = modelSize(config);
      for (const line of describeSize(size, config.batch)) context.print(line);
      context.result(size);
      return;
    }
    const labels = await readLatentLabels(file);
    const data = await openData(config.data, config.model.imageSize, context);
    const settings = { run, resume, engine, steps: config.steps };
    const { step, metrics, checkpoint } = await withRun(settings, context, (how) =>
      trainLatentVla(data, labels, config, how),
    );
    data.close();
    context.print(`${checkpoint.path}: ${step} steps, latent accuracy ${metrics.accuracy?.toFixed(3)}`);
    context.result({ checkpoint: checkpoint.path, step, ...metrics });
  },
});
