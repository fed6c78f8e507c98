import { z } from "zod";
import { readLatentLabels } from "#datasets/labels.ts";
import { finetune, finetuneConfig, finetunePresets } from "#lapa/finetune/index.ts";
import { openBackbone } from "#lapa/latent-vla/index.ts";
import { defineCommand } from "../command.ts";
import { openData, runFields, runName, withRun } from "../training.ts";

export const finetuneCommand = defineCommand({
  summary: "teaches a backbone a robot's actions from few demonstrations",
  config: finetuneConfig.extend({
    pretrained: z.string().default("").describe("run or checkpoint of a latent VLA; empty: from scratch"),
    labels: z.string().default("").describe("latent actions of the demonstrations, for latentLoss and previousLatent"),
    run: runName("policy"),
    ...runFields,
  }),
  presets: finetunePresets,
  example: "finetune train --preset tiny --pretrained runs/latent-vla --data.datasets data/demonstrations",
  async run({ pretrained, labels: file, run, resume, engine, ...config }, context) {
    const backbone = pretrained === "" ? undefined : await openBackbone(pretrained);
    const labels = file === "" ? undefined : await readLatentLabels(file);
    const data = await openData(config.data, (backbone?.config ?? config.model).imageSize, context);
    const settings = { run, resume, engine, steps: config.steps };
    const { step, metrics, checkpoint } = await withRun(settings, context, (how) =>
      finetune(data, config, how, { pretrained: backbone, labels }),
    );
    data.close();
    const error = metrics["eval/actionError"];
    const heldOut = error === undefined ? "" : `, action error ${error.toFixed(4)} on clips left out`;
    context.print(`${checkpoint.path}: ${step} steps, loss ${metrics.loss?.toFixed(4)}${heldOut}`);
    context.result({ checkpoint: checkpoint.path, step, ...metrics });
  },
});
