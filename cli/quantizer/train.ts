import { quantizerPresets, quantizerTrainConfig, trainQuantizer } from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { openData, runFields, runName, withRun } from "../training.ts";

export const trainQuantizerCommand = defineCommand({
  summary: "learns latent actions from videos that carry no action labels",
  config: quantizerTrainConfig.extend({ run: runName("quantizer"), ...runFields }),
  presets: quantizerPresets,
  example: "quantizer train --preset tiny --data.videos data/videos --run quantizer",
  async run({ run, resume, engine, ...config }, context) {
    const data = await openData(config.data, config.model.imageSize, context);
    const settings = { run, resume, engine, steps: config.steps };
    const { step, metrics, checkpoint } = await withRun(settings, context, (how) => trainQuantizer(data, config, how));
    data.close();
    context.print(`${checkpoint.path}: ${step} steps, loss ${metrics.loss?.toFixed(4)}`);
    context.result({ checkpoint: checkpoint.path, step, ...metrics });
  },
});
