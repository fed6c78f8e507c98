import { z } from "zod";
import { benchmarkVideo } from "#benchmarks/datasets/video.ts";
import { writeResult } from "#core/results.ts";
import { engineKinds } from "#engine/index.ts";
import { defineCommand } from "../command.ts";

export const benchVideo = defineCommand({
  summary: "frames per second against PyAV, OpenCV, decord and torchcodec, and the share of data time in training",
  config: z.strictObject({
    videos: z.string().default("../shared/data/human_dexwild").describe("folder of videos of at least 80 frames each"),
    files: z.number().int().positive().default(12).describe("videos read per round, spread over the folder"),
    sizes: z.array(z.number().int().positive()).default([64, 224]).describe("sides of the square frames, pixels"),
    rounds: z.number().int().positive().default(3).describe("alternated rounds; ratios are taken within a round"),
    clips: z.number().int().positive().default(60).describe("random clips of 16 frames per round and size"),
    python: z.string().default("python3").describe("a Python that has av, cv2, decord and torchcodec"),
    engine: z.enum(engineKinds).default("auto").describe("what trains while the share of data time is measured"),
    steps: z.number().int().min(10).default(60).describe("training steps for the share of data time"),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench video --videos data/videos --python ~/video/bin/python",
  async run({ out, ...config }, { log, print, result, commandLine }) {
    const measured = await benchmarkVideo({ ...config, command: commandLine, log: log.info });
    for (const [name, value] of Object.entries(measured.summary)) print(`${name}: ${value}`);
    if (out !== "") print(`written: ${writeResult(out, measured)}`);
    result(measured);
  },
});
