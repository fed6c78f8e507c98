import { z } from "zod";
import { ConfigError } from "#core/errors.ts";
import { pushPresets, simulateEpisodes, writeDemonstrations, writeSimulatedVideos } from "#world/index.ts";
import { defineCommand } from "../command.ts";

const config = z.strictObject({
  out: z.string().default("data/simulated").describe("folder to write; must not be there yet"),
  truth: z.string().default("").describe("folder for the hidden truth of label-free videos; default OUT-truth"),
  suite: z.enum(["demo", "small", "language-table", "language-table-8"]).default("demo").describe("push tasks"),
  embodiment: z
    .enum(["hand", "arm", "pusher"])
    .default("hand")
    .describe("hand: label-free videos with captions; arm, pusher: demonstrations as a LeRobot data set"),
  episodes: z.number().int().positive().default(100).describe("episodes of the scripted expert"),
  size: z.number().int().min(16).max(1024).multipleOf(2).default(128).describe("side of the pictures, pixels"),
  seed: z.number().int().min(0).default(0).describe("seed of tasks, looks and expert"),
  workers: z.number().int().min(0).default(2).describe("threads that simulate"),
});

export const simulate = defineCommand({
  summary: "writes videos of a hand, or demonstrations of a robot, made by scripted experts",
  config,
  example: "datasets simulate --embodiment arm --episodes 50 --out data/demonstrations",
  async run({ out, truth, suite, embodiment, episodes, size, seed, workers }, { progress, signal, print, result }) {
    if (embodiment !== "hand" && truth !== "") {
      throw new ConfigError("--truth: is for label-free videos (--embodiment hand) alone. Leave it out.");
    }
    const line = progress("simulate", episodes, "episodes");
    const played = simulateEpisodes({
      ...{ suite: pushPresets[suite], embodiment, episodes, seed, size, workers, signal },
      onProgress: (done) => line.update(done),
    });
    const written =
      embodiment === "hand"
        ? await writeSimulatedVideos(played, { directory: out, truthDirectory: truth || `${out}-truth`, signal })
        : await writeDemonstrations(played, { directory: out, signal });
    line.finish(out);
    print(`${out}: ${episodes} episodes, ${written.frames} frames of ${size} x ${size} pixels`);
    result({ out, episodes, frames: written.frames });
  },
});
