import { z } from "zod";
import { readLatentLabels } from "#datasets/labels.ts";
import { evaluateActions, openPolicyModel } from "#lapa/finetune/index.ts";
import { videoDataConfig } from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openData, openEngine } from "../training.ts";

export const evaluateActionsCommand = defineCommand({
  summary: "measures a policy's actions against recorded ones, open loop, on demonstrations that were left out",
  config: z.strictObject({
    policy: z.string().default("runs/policy").describe("run or checkpoint of a policy"),
    data: videoDataConfig.prefault({}),
    labels: z.string().default("").describe("latent actions of the data, for policies that hear the one before"),
    all: z.boolean().default(false).describe("all clips, not only those that training with the same data leaves out"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["policy"],
  example: "finetune evaluate runs/policy --data.datasets data/demonstrations",
  async run({ policy, data: config, labels: file, all, engine }, context) {
    const model = await openPolicyModel(policy);
    const labels = file === "" ? undefined : await readLatentLabels(file);
    const data = await openData(config, model.backbone.imageSize, context);
    const executor = await openEngine(engine, context);
    try {
      const errors = await evaluateActions(model, data, { executor, heldOut: !all, labels });
      context.print(
        `action error ${errors.actionError.toFixed(4)}: ${errors.frames} frames of ${errors.episodes} episodes`,
      );
      for (const [name, error] of Object.entries(errors.rawErrors)) context.print(`  ${name}: ${error.toPrecision(3)}`);
      context.result(errors);
    } finally {
      await executor.dispose();
      data.close();
    }
  },
});
