import { z } from "zod";
import {
  createQuantizerRunner,
  evaluateQuantizer,
  openQuantizer,
  splitPairs,
  videoDataConfig,
} from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openData, openEngine } from "../training.ts";
import { readTruth } from "./truth.ts";

export const evaluateQuantizerCommand = defineCommand({
  summary: "measures on clips left out whether the codes are actions",
  config: z.strictObject({
    quantizer: z.string().describe("run or checkpoint of a quantizer"),
    data: videoDataConfig.prefault({}),
    truth: z.string().default("").describe("folder of true motions (datasets simulate writes it), for the probe"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["quantizer"],
  example: "quantizer evaluate runs/quantizer --data.videos data/videos --truth data/videos-truth",
  async run({ quantizer: path, data: where, truth, engine }, context) {
    const quantizer = await openQuantizer(path);
    const { model } = quantizer.config;
    const data = await openData(where, model.imageSize, context);
    const { train, heldOut } = splitPairs(data, quantizer.config);
    const executor = await openEngine(engine, context);
    const runner = createQuantizerRunner(quantizer, executor);
    const metrics = await evaluateQuantizer(runner, {
      ...{ frames: data.frames, train: train.pairs, heldOut, ...model },
      truth: truth === "" ? undefined : readTruth(truth, data.frames.clips),
    });
    await executor.dispose();
    data.close();
    for (const [name, value] of Object.entries(metrics)) context.print(`${name.padEnd(20)} ${value}`);
    context.result(metrics);
  },
});
