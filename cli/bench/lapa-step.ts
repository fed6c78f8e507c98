import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { benchmarkLapaStep, lapaStepParts } from "#benchmarks/lapa/step.ts";
import { readResult, writeResult } from "#core/results.ts";
import { defineCommand } from "../command.ts";

export const benchLapaStep = defineCommand({
  summary:
    "measures LAPA's train steps against PyTorch and JAX, labels per second and time per action; about 5 minutes",
  config: z.strictObject({
    rounds: z.number().int().positive().default(5).describe("alternated rounds; ratios are taken within a round"),
    secondsPerLap: z.number().positive().default(2).describe("measured time of one engine in one round, seconds"),
    threads: z.number().int().positive().default(2).describe("threads of every engine"),
    parts: z
      .array(z.enum(lapaStepParts))
      .default([...lapaStepParts])
      .describe("what to measure; other parts of a result that is there are kept"),
    torchPython: z.string().default("").describe("a Python that has PyTorch; looked for by default"),
    jaxPython: z.string().default("").describe("a Python that has JAX; looked for by default"),
    calls: z.number().int().positive().default(300).describe("measured calls per policy"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench lapa-step --jaxPython ~/jax/bin/python",
  async run({ out, ...config }, { log, print, result, commandLine }) {
    const file = join(out, "lapa-step.json");
    const earlier = out !== "" && existsSync(file) ? readResult(file) : undefined;
    const measured = await benchmarkLapaStep({ ...config, earlier, command: commandLine, log: log.info });
    for (const [name, value] of Object.entries(measured.summary)) {
      print(`${name}: ${typeof value === "number" ? value.toFixed(3) : String(value)}`);
    }
    if (out !== "") print(`written: ${writeResult(out, measured)}`);
    result(measured);
  },
});
