import { z } from "zod";
import { benchmarkShards } from "#benchmarks/datasets/shards.ts";
import { writeResult } from "#core/results.ts";
import { defineCommand } from "../command.ts";

export const benchShards = defineCommand({
  summary: "converts with several processes that are killed at random; the bytes must be those of one process",
  config: z.strictObject({
    from: z.string().default("../shared/data/robot_bridge_octo").describe("data set to convert"),
    to: z
      .array(z.enum(["lerobot-v2.1", "lerobot-v3.0", "rlds", "mcap"]))
      .default(["lerobot-v3.0", "rlds"])
      .describe("formats to write, each once"),
    workers: z.number().int().min(2).default(4).describe("processes at a time, a shard each"),
    killsPerWorker: z.number().int().min(0).default(3).describe("how often each is killed before it may finish"),
    seed: z.number().int().min(0).default(0).describe("when they are killed"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench shards --from data/bridge/1.0.0",
  async run({ out, ...config }, { log, print, result, commandLine, signal }) {
    const measured = await benchmarkShards({ ...config, command: commandLine, log: log.info, signal });
    for (const [name, value] of Object.entries(measured.summary)) print(`${name}: ${value}`);
    if (out !== "") print(`written: ${writeResult(out, measured)}`);
    result(measured);
  },
});
