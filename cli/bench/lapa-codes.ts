import { join } from "node:path";
import { z } from "zod";
import { benchmarkCodes, codeVariantNames } from "#benchmarks/lapa/codes.ts";
import { writeResult } from "#core/results.ts";
import { videoDataConfig } from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { readTruth } from "../quantizer/truth.ts";
import { engineConfig, openData, openEngine } from "../training.ts";

export const benchLapaCodes = defineCommand({
  summary:
    "what makes a code an action: the demo's quantizer with one part taken away at a time; goes on where it stopped",
  config: z.strictObject({
    demo: z.string().default("runs/demo").describe("folder of a demo: its videos, truth and demonstrations are used"),
    folder: z.string().default("runs/lapa-codes").describe("where the trained variants are kept"),
    variants: z.array(z.enum(codeVariantNames)).default(codeVariantNames).describe("what to train"),
    seeds: z.array(z.number().int()).default([0]).describe("seeds of each variant"),
    steps: z.number().int().positive().default(700).describe("training steps of each"),
    engine: engineConfig.prefault({}),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench lapa-codes --seeds 0,1,2",
  async run({ demo, engine, out, ...config }, context) {
    const inDemo = (name: string) => join(demo, name);
    const where = videoDataConfig.parse({
      ...{ videos: [inDemo("videos")], datasets: [inDemo("demonstrations")], cache: inDemo("frames") },
    });
    const data = await openData(where, 64, context);
    const executor = await openEngine(engine, context);
    const { signal, commandLine: command } = context;
    try {
      const measured = await benchmarkCodes({
        ...{ ...config, data, executor, signal, command, log: context.log.info },
        truth: readTruth(inDemo("truth"), data.frames.clips),
      });
      if (out !== "") context.print(`written: ${writeResult(out, measured)}`);
      context.result(measured);
    } finally {
      await executor.dispose();
      data.close();
    }
  },
});
