import { join } from "node:path";
import { z } from "zod";
import { humanVideoBest } from "#benchmarks/lapa/human-video-candidates.ts";
import { openHumanVideos } from "#benchmarks/lapa/human-video-data.ts";
import { pairVideos } from "#benchmarks/lapa/human-video-frames.ts";
import {
  measureRobotCell,
  type RobotBenchOptions,
  type RobotCellKey,
  type RobotName,
  readRobotCell,
  robotArms,
  robotFacts,
  robotNames,
} from "#benchmarks/lapa/real-robots.ts";
import { realRobotsResult } from "#benchmarks/lapa/real-robots-result.ts";
import { writeResult } from "#core/results.ts";
import { openVideoData, quantizerTrainConfig, videoDataConfig } from "#lapa/quantizer/index.ts";
import { defineCommand } from "../command.ts";
import { engineConfig, openEngine } from "../training.ts";

const size = 64;

/** The value is made when it is first asked for, and kept. */
function lazily<T>(make: () => Promise<T>) {
  let made: Promise<T> | undefined;
  return { get: () => (made ??= make()), made: () => made };
}

const steps = (name: string, count: number) => z.number().int().positive().default(count).describe(`steps of ${name}`);

export const benchLapaRealRobots = defineCommand({
  summary: "real robots' actions from few episodes, with and without latent pretraining; goes on where it stopped",
  config: z.strictObject({
    data: z.string().default("../shared/data").describe("folder that holds robot_cr5, robot_g1 and human_dexwild"),
    folder: z.string().default("runs/bench-lapa-real-robots").describe("where pretrainings and cells are kept"),
    humanFolder: z
      .string()
      .default("runs/bench-lapa-human-video")
      .describe("where clips and motion of people are kept"),
    python: z.string().default("").describe("a Python that has OpenCV's ArUco; looked for by default"),
    robots: z
      .array(z.enum(robotNames))
      .default([...robotNames])
      .describe("robots to measure"),
    arms: z
      .array(z.enum(robotArms))
      .default([...robotArms])
      .describe("what the policies start from"),
    episodes: z.array(z.number().int().positive()).default([10, 20, 50]).describe("demonstrations"),
    seeds: z.array(z.number().int()).default([0, 1, 2]).describe("seeds of weights and choice of episodes"),
    heldOut: z.number().int().positive().default(15).describe("episodes that are measured and never learned from"),
    steps: z
      .strictObject({
        quantizer: steps("quantizer training", 500),
        latentVla: steps("latent pretraining", 500),
        finetune: steps("fine-tuning", 400),
      })
      .prefault({}),
    engine: engineConfig.prefault({}),
    out: z.string().default("benchmarks/results").describe("folder of the result file; empty: none is written"),
  }),
  example: "bench lapa-real-robots --robots cr5 --arms scratch --episodes 10 --seeds 0",
  async run({ data: root, folder: home, humanFolder, python, engine, out, ...config }, context) {
    // Other numbers of steps, or other episodes to measure on, are another measurement.
    const folder = join(home, `steps-${Object.values(config.steps).join("-")}-held-${config.heldOut}`);
    const { signal, commandLine: command } = context;
    const log = context.log.info;
    const cache = join(home, "frames");
    const robotOf = (robot: RobotName) =>
      lazily(() => {
        const where = { datasets: [join(root, robotFacts[robot].folder)], cache, holdOut: 0 };
        return openVideoData(videoDataConfig.parse(where), { size, signal });
      });
    const robots = { cr5: robotOf("cr5"), g1: robotOf("g1") };
    const { zoom, ...best } = humanVideoBest;
    const people = lazily(async () => {
      const { offsetS } = quantizerTrainConfig.parse(best.quantizer);
      const open = async (side: number) => {
        const where = { videos: join(root, "human_dexwild"), folder: humanFolder, python, size: side, fit: best.fit };
        const { data, motions } = await openHumanVideos({ ...where, signal, log });
        return pairVideos(data, motions, { offsetS, size, fit: best.fit, compensated: best.compensated }).data;
      };
      // The window says what was done; the policy sees the whole picture.
      return { pairs: await open(Math.round(zoom * size)), pictures: await open(size) };
    });
    const executor = await openEngine(engine, context);
    const options: RobotBenchOptions = {
      ...{ executor, folder, steps: config.steps, heldOutEpisodes: config.heldOut, command, signal, log },
      robots: { cr5: robots.cr5.get, g1: robots.g1.get },
      human: people.get,
      humanQuantizer: humanVideoBest.quantizer,
    };
    const wanted = config.seeds.flatMap((seed) =>
      config.robots.flatMap((robot) =>
        config.episodes.flatMap((episodes) => config.arms.map((arm): RobotCellKey => ({ robot, arm, episodes, seed }))),
      ),
    );
    // The result speaks of the whole grid, also where a run was asked for one cell of it.
    const grid = [0, 1, 2].flatMap((seed) =>
      robotNames.flatMap((robot) =>
        [10, 20, 50].flatMap((episodes) => robotArms.map((arm): RobotCellKey => ({ robot, arm, episodes, seed }))),
      ),
    );
    const result = () => {
      const all = grid.map((key) => ({ key, cell: readRobotCell(folder, key) }));
      const cells = all.flatMap(({ cell }) => cell ?? []);
      const missing = all.flatMap(({ key, cell }) => (cell === undefined ? [key] : []));
      return realRobotsResult(cells, missing, { command, seeds: [0, 1, 2], steps: config.steps });
    };
    try {
      for (const key of wanted) {
        await measureRobotCell(key, options);
        if (out !== "") writeResult(out, result());
      }
      const measured = result();
      for (const [name, value] of Object.entries(measured.summary)) context.print(`${name}: ${JSON.stringify(value)}`);
      context.result(measured);
    } finally {
      await executor.dispose();
      for (const { made } of [robots.cr5, robots.g1]) (await made())?.close();
      for (const data of Object.values((await people.made()) ?? {})) data.close();
    }
  },
});
