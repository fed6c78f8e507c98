import { z } from "zod";
import { benchmarkFormats } from "#benchmarks/datasets/formats.ts";
import { writeResult } from "#core/results.ts";
import { defineCommand } from "../command.ts";

export const benchFormats = defineCommand({
  summary: "MCAP's conformance suite, files of others through every reader, third-party readers on what is written",
  config: z.strictObject({
    data: z.string().default("../shared/data").describe("folder with conformance/ and data sets of others"),
    python: z.string().default("python3").describe("a Python that has h5py, mcap, tfrecord and pillow"),
    lerobot21: z.string().default("python3").describe("a Python that has lerobot 0.3, which reads version 2.1"),
    lerobot30: z.string().default("python3").describe("a Python that has lerobot 0.4, which reads version 3.0"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench formats --python ~/readers/bin/python --lerobot30 ~/lerobot/bin/python",
  async run({ out, ...config }, { log, print, result, commandLine }) {
    const measured = await benchmarkFormats({ ...config, command: commandLine, log: log.info });
    for (const [name, value] of Object.entries(measured.summary)) print(`${name}: ${value}`);
    if (out !== "") print(`written: ${writeResult(out, measured)}`);
    result(measured);
  },
});
