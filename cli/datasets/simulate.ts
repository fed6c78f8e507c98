import { rm } from "node:fs/promises";
import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { describeShards, shardFolder } from "#datasets/shard-folder.ts";
import { requireShard } from "#datasets/shards.ts";
import {
  chooseSuite,
  findEmbodiment,
  mergeSimulated,
  perturbationNames,
  type SimulateJob,
  simulateEpisodes,
  simulateShard,
  splits,
  suitePresetNames,
  writeDemonstrations,
  writeSimulatedVideos,
} from "#world/index.ts";
import { type Context, defineCommand } from "../command.ts";
import { shardFields } from "./fields.ts";

const config = z.strictObject({
  out: z.string().default("data/simulated").describe("folder to write; must not be there yet"),
  truth: z.string().default("").describe("folder for the hidden truth of label-free videos; default OUT-truth"),
  suite: z.enum(suitePresetNames).default("demo").describe("tasks; push and pick-place are all of a suite's"),
  embodiment: z
    .string()
    .default("hand")
    .describe("hand: label-free videos with captions; robots (push: arm, pusher; pick-place: widowx, panda): LeRobot"),
  episodes: z.number().int().positive().default(100).describe("episodes of the scripted expert"),
  split: z.enum(splits).default("train").describe("which tasks"),
  perturbation: z.enum(perturbationNames).default("none").describe("controlled shift of the suite"),
  changes: z.record(z.string(), z.unknown()).default({}).describe('fields of the suite: {"looks": "high"}'),
  mistakes: z.number().min(0).max(1).default(0).describe("share of episodes with a failed attempt that is mended"),
  cameras: z.array(z.string()).default(["front"]).describe("cameras of a robot's data set; bodies may carry wrist"),
  size: z.number().int().min(16).max(1024).multipleOf(2).default(128).describe("side of the pictures, pixels"),
  seed: z.number().int().min(0).default(0).describe("seed of tasks, looks and expert"),
  workers: z.number().int().min(0).default(2).describe("threads that simulate"),
  ...shardFields,
});
type Settings = z.infer<typeof config>;

/** What decides the data. @throws ConfigError for settings that do not go together */
function jobOf(settings: Omit<Settings, "shard" | "of" | "workers">): SimulateJob {
  const { embodiment, episodes, split, seed, size, cameras, mistakes, truth } = settings;
  const suite = chooseSuite(settings);
  const { recordsActions } = findEmbodiment(embodiment, suite.suite);
  if (recordsActions && truth !== "") {
    throw new ConfigError("--truth: is for label-free videos (--embodiment hand) alone. Leave it out.");
  }
  if (!recordsActions && cameras.length > 1) {
    throw new ConfigError("--cameras: a film has one camera, got more. Name one.");
  }
  return { suite, embodiment, episodes, split, seed, size, cameras, mistakes };
}

const folders = ({ out, truth }: Pick<Settings, "out" | "truth">, signal: AbortSignal) => ({
  ...{ directory: out, truthDirectory: truth || `${out}-truth`, signal },
});

export const simulate = defineCommand({
  summary: "writes videos of a hand, or demonstrations of a robot, made by scripted experts",
  config,
  example: "datasets simulate --suite pick-place --embodiment widowx --episodes 50 --out data/demonstrations",
  async run({ shard, of, workers, ...settings }, { progress, signal, print, result }) {
    const { out, size, embodiment } = settings;
    requireShard({ shard, of });
    const job = jobOf(settings);
    const line = progress("simulate", Math.ceil((job.episodes - shard) / of), "episodes");
    const onProgress = (done: number) => line.update(done);
    if (of > 1) {
      const folder = await describeShards(out, { command: "simulate", config: settings });
      await simulateShard(folder, job, { shard, of }, { workers, signal, onProgress });
      line.finish(folder);
      print(`${folder}: shard ${shard} of ${of} is done. When all are: npx armature datasets merge ${out}`);
      return result({ out, shard, of });
    }
    const played = simulateEpisodes({ ...job, workers, signal, onProgress });
    const { recordsActions } = findEmbodiment(embodiment, job.suite.suite);
    const { frames } = recordsActions
      ? await writeDemonstrations(played, { directory: out, signal })
      : await writeSimulatedVideos(played, folders(settings, signal));
    line.finish(out);
    print(`${out}: ${job.episodes} episodes, ${frames} frames of ${size} x ${size} pixels`);
    result({ out, episodes: job.episodes, frames });
  },
});

/** Joins the shards of a simulation; they are removed when the whole set is there. */
export async function mergeSimulate(raw: Record<string, unknown>, context: Context): Promise<void> {
  const settings = config.parse(raw);
  const folder = shardFolder(settings.out);
  const episodes = await mergeSimulated(folder, jobOf(settings), folders(settings, context.signal));
  await rm(folder, { recursive: true, force: true });
  context.print(`${settings.out}: ${episodes} episodes`);
  context.result({ out: settings.out, episodes });
}
