import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { benchmarkTrainStep, parts } from "#benchmarks/engine/train-step.ts";
import { readResult, writeResult } from "#core/results.ts";
import { writeWhole } from "#core/write-whole.ts";
import { defineCommand } from "../command.ts";
import { drawTrainStepPlot } from "./train-step-plot.ts";

export const benchTrainStep = defineCommand({
  summary: "measures train steps against PyTorch, JAX and eager TensorFlow.js; about 25 minutes with all parts",
  config: z.strictObject({
    rounds: z.number().int().positive().default(7).describe("alternated rounds; ratios are taken within a round"),
    secondsPerLap: z.number().positive().default(3).describe("measured time of one engine in one round, seconds"),
    threads: z.number().int().positive().default(2).describe("threads of every engine"),
    parts: z
      .array(z.enum(parts))
      .default([...parts])
      .describe("what to measure; the rows of other parts stay as they are in the result file"),
    torchPython: z.string().default("").describe("a Python that has PyTorch; looked for by default"),
    jaxPython: z.string().default("").describe("a Python that has JAX; looked for by default"),
    manyCalls: z.number().int().positive().default(100_000).describe("calls over which memory must not grow"),
    plot: z.string().default("docs/images/engine.svg").describe("picture of the result; empty: none is drawn"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench train-step --jaxPython ~/jax/bin/python",
  async run({ out, plot, ...config }, { log, print, result, commandLine, signal }) {
    const path = join(out, "engine.json");
    const earlier = out !== "" && existsSync(path) ? readResult(path) : undefined;
    const measured = await benchmarkTrainStep({ ...config, command: commandLine, signal, log: log.info }, earlier);
    for (const [name, value] of Object.entries(measured.summary)) {
      print(`${name}: ${typeof value === "number" ? value.toFixed(3) : (value ?? "not measured")}`);
    }
    if (out !== "") print(`written: ${writeResult(out, measured)}`);
    const picture = plot === "" ? undefined : drawTrainStepPlot(measured);
    if (picture !== undefined) writeWhole(plot, picture);
    result(measured);
  },
});
