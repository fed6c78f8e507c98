import { join } from "node:path";
import { z } from "zod";
import {
  type HumanVideoSettings,
  measureHumanVideo,
  readHumanVideoCell,
  settingsOf,
} from "#benchmarks/lapa/human-video.ts";
import { humanVideoCandidateNames, humanVideoCandidates } from "#benchmarks/lapa/human-video-candidates.ts";
import { type HumanVideos, openHumanVideos } from "#benchmarks/lapa/human-video-data.ts";
import { explained } from "#benchmarks/lapa/human-video-probe.ts";
import { humanVideoResult } from "#benchmarks/lapa/human-video-result.ts";
import { writeResult } from "#core/results.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openEngine } from "../training.ts";

export const benchLapaHumanVideo = defineCommand({
  summary: "latent actions from real people's videos: do the codes say how the wrist went? goes on where it stopped",
  config: z.strictObject({
    videos: z.string().default("../shared/data/human_dexwild").describe("folder of videos with ArUco cubes on wrists"),
    folder: z.string().default("runs/bench-lapa-human-video").describe("where clips, motion and cells are kept"),
    python: z.string().default("").describe("a Python that has OpenCV's ArUco; looked for by default"),
    candidates: z
      .array(z.enum(humanVideoCandidateNames))
      .default(humanVideoCandidateNames)
      .describe("ways of learning among which the clips for choosing choose"),
    folds: z
      .array(z.number().int().min(0).max(2))
      .default([0, 1, 2])
      .describe("folds to test, each with its number as seed; empty: only choose"),
    steps: z.number().int().min(0).default(0).describe("training steps of every candidate; 0: its own"),
    engine: engineConfig.prefault({}),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench lapa-human-video --candidates window --folds 0",
  async run({ videos, folder, python, engine, out, candidates, folds, steps }, context) {
    const { signal, commandLine: command } = context;
    const log = context.log.info;
    const opened = new Map<string, Promise<HumanVideos>>();
    const videosOf = ({ zoom, fit, quantizer }: HumanVideoSettings) => {
      const size = Math.round(zoom * quantizer.model.imageSize);
      const known = opened.get(`${size} ${fit}`) ?? openHumanVideos({ videos, folder, python, size, fit, signal, log });
      opened.set(`${size} ${fit}`, known);
      return known;
    };
    const executor = await openEngine(engine, context);
    const optionsOf = async (settings: HumanVideoSettings) => ({
      ...{ ...settings, ...(await videosOf(settings)), executor, folder: join(folder, "cells"), signal, log, command },
    });
    try {
      const tried: { name: string; settings: HumanVideoSettings; score: number }[] = [];
      for (const name of candidates) {
        log(`candidate: ${name}`);
        const settings = settingsOf(humanVideoCandidates[name], steps);
        const { arms } = await measureHumanVideo(await optionsOf(settings), "choose", 0);
        tried.push({ name, settings, score: explained(arms.codes!) });
        context.print(`${name}: R² ${tried.at(-1)!.score.toFixed(3)} on the clips for choosing`);
      }
      const best = tried.reduce((one, other) => (other.score > one.score ? other : one));
      const options = await optionsOf(best.settings);
      for (const fold of folds) await measureHumanVideo(options, fold, fold);
      const cells = [0, 1, 2].flatMap((fold) => readHumanVideoCell(options, fold, fold) ?? []);
      if (cells.length === 0) return;
      const scores = Object.fromEntries(tried.map(({ name, score }) => [name, score]));
      const measured = humanVideoResult(cells, { chosen: best.name, scores, settings: best.settings }, command);
      for (const [name, value] of Object.entries(measured.summary)) context.print(`${name}: ${JSON.stringify(value)}`);
      if (out !== "") context.print(`written: ${writeResult(out, measured)}`);
      context.result(measured);
    } finally {
      await executor.dispose();
      for (const { data } of await Promise.all(opened.values())) data.close();
    }
  },
});
