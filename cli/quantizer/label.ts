import { z } from "zod";
import { writeLatentLabels } from "#datasets/labels.ts";
import { labelVideos, openQuantizer, videoDataConfig } from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openData, openEngine } from "../training.ts";

export const labelCommand = defineCommand({
  summary: "names the latent action of every pair of frames",
  config: z.strictObject({
    quantizer: z.string().describe("run or checkpoint of a quantizer"),
    data: videoDataConfig.prefault({}),
    out: z.string().default("data/labels.parquet").describe("file to write, .parquet"),
    engine: engineConfig.prefault({}),
  }),
  positionals: ["quantizer"],
  example: "quantizer label runs/quantizer --data.videos data/videos --out data/labels.parquet",
  async run({ quantizer: path, data: where, out, engine }, context) {
    const quantizer = await openQuantizer(path);
    const data = await openData(where, quantizer.config.model.imageSize, context);
    const executor = await openEngine(engine, context);
    const source = [...where.videos, ...where.datasets].join(", ");
    const labels = await labelVideos(quantizer, data, { executor, source, signal: context.signal });
    await executor.dispose();
    data.close();
    writeLatentLabels(out, labels);
    context.print(
      `${out}: ${labels.episodes.length} pairs, ${labels.codesPerStep} codes of ${labels.codebookSize} each`,
    );
    context.result({ out, pairs: labels.episodes.length });
  },
});
