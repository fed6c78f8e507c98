import { join } from "node:path";
import { z } from "zod";
import { humanVideoArms, humanVideoBest, measureHumanVideo, readHumanVideoCell } from "#benchmarks/lapa/human-video.ts";
import { openHumanVideos } from "#benchmarks/lapa/human-video-data.ts";
import { explained } from "#benchmarks/lapa/human-video-probe.ts";
import { humanVideoResult } from "#benchmarks/lapa/human-video-result.ts";
import { writeResult } from "#core/results.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openEngine } from "../training.ts";

export const benchLapaHumanVideo = defineCommand({
  summary: "latent actions from real people's videos: do the codes say how the wrist went? goes on where it stopped",
  config: z.strictObject({
    videos: z.string().default("../shared/data/human_dexwild").describe("folder of videos with ArUco cubes on wrists"),
    folder: z.string().default("runs/bench-lapa-human-video").describe("where clips, motion and cells are kept"),
    python: z.string().default("").describe("a Python that has OpenCV's ArUco; looked for by default"),
    part: z.enum(["choose", "test"]).default("test").describe("choose: print what the clips for choosing say"),
    folds: z
      .array(z.coerce.number().int().min(0).max(2))
      .default([0, 1, 2])
      .describe("folds to test, each with its own seed"),
    cameras: z.enum(["still", "all"]).default(humanVideoBest.cameras).describe("clips of cameras on a stand, or all"),
    compensated: z
      .boolean()
      .default(humanVideoBest.compensated)
      .describe("carry each pair's second frame into the first one's view"),
    zoom: z
      .number()
      .min(1)
      .default(humanVideoBest.zoom)
      .describe("how much the window that follows the change enlarges; 1: the whole picture"),
    quantizer: quantizerTrainConfig.prefault({ ...humanVideoBest.quantizer, data: { fit: humanVideoBest.fit } }),
    engine: engineConfig.prefault({}),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench lapa-human-video --folds 0 --out ''",
  async run({ videos, folder, python, engine, out, ...config }, context) {
    const { signal, commandLine: command } = context;
    const log = context.log.info;
    const { model, data: where } = config.quantizer;
    const clips = {
      videos,
      folder,
      python,
      size: Math.round(config.zoom * model.imageSize),
      fit: where.fit,
      signal,
      log,
    };
    const { data, motions } = await openHumanVideos(clips);
    const executor = await openEngine(engine, context);
    const options = { ...config, data, motions, executor, folder: join(folder, "cells"), signal, log, command };
    try {
      if (config.part === "choose") {
        const { arms, metrics, testPairs } = await measureHumanVideo(options, "choose", 0);
        const scores = humanVideoArms.map((name) => `${name} ${explained(arms[name]).toFixed(3)}`);
        context.print(`${testPairs} pairs of clips for choosing: R² ${scores.join(", ")}`);
        context.result({ metrics, arms });
        return;
      }
      // A fold's weights have its number as their seed.
      for (const fold of config.folds) await measureHumanVideo(options, fold, fold);
      const folds = [0, 1, 2].flatMap((fold) => readHumanVideoCell(options, fold, fold) ?? []);
      const measured = humanVideoResult(folds, options);
      for (const [name, value] of Object.entries(measured.summary)) context.print(`${name}: ${JSON.stringify(value)}`);
      if (out !== "") context.print(`written: ${writeResult(out, measured)}`);
      context.result(measured);
    } finally {
      await executor.dispose();
      data.close();
    }
  },
});
