import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { benchmarkWorld, worldParts } from "#benchmarks/world/world.ts";
import { readResult, writeResult } from "#core/results.ts";
import { defineCommand } from "../command.ts";

export const benchWorld = defineCommand({
  summary: "measures physics, pictures, data and experts of the simulated world, against MuJoCo; about 30 minutes",
  config: z.strictObject({
    rounds: z.number().int().positive().default(5).describe("alternated rounds; ratios are taken within a round"),
    secondsPerLap: z.number().positive().default(2).describe("measured time of one side in one round, seconds"),
    episodes: z.number().int().positive().default(2000).describe("labelled episodes written as a data set"),
    rollouts: z.number().int().positive().default(200).describe("rollouts of the expert per preset and body"),
    resets: z.number().int().min(100).default(100_000).describe("resets over which memory must not grow"),
    parts: z
      .array(z.enum(worldParts))
      .default([...worldParts])
      .describe("what to measure; the rows of other parts stay as they are in the result file"),
    python: z.string().default("").describe("a Python that has MuJoCo's package; looked for by default"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench world --parts physics,frames --python ~/mujoco/bin/python",
  async run({ out, ...config }, { log, print, result, commandLine, signal }) {
    const path = join(out, "world.json");
    const earlier = out !== "" && existsSync(path) ? readResult(path) : undefined;
    const measured = await benchmarkWorld({ ...config, command: commandLine, log: log.info, signal }, earlier);
    for (const [name, value] of Object.entries(measured.summary)) {
      print(`${name}: ${typeof value === "number" ? value.toFixed(3) : "not measured"}`);
    }
    if (out !== "") print(`written: ${writeResult(out, measured)}`);
    result(measured);
  },
});
