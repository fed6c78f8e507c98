import { z } from "zod";
import { readLatentLabels } from "#datasets/labels.ts";
import { latentVlaPresets, latentVlaTrainConfig, trainLatentVla } from "#lapa/latent-vla/index.ts";
import { defineCommand } from "../command.ts";
import { openData, runFields, runName, withRun } from "../training.ts";

export const trainLatentVlaCommand = defineCommand({
  summary: "pretrains the backbone to say which latent action follows a picture and an instruction",
  config: latentVlaTrainConfig.extend({
    labels: z.string().default("data/labels.parquet").describe("labels of the same videos (quantizer label)"),
    run: runName("latent-vla"),
    ...runFields,
  }),
  presets: latentVlaPresets,
  example: "latent-vla train --preset tiny --labels data/labels.parquet --data.videos data/videos",
  async run({ labels: file, run, resume, engine, ...config }, context) {
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
