import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { UserError } from "#core/errors.ts";
import {
  chooseSuite,
  drawInstance,
  evaluateExpert,
  perturbationNames,
  readRollout,
  splits,
  suitePresetNames,
  writeRollout,
  writeRolloutVideo,
} from "#world/index.ts";
import { defineCommand } from "../command.ts";

const config = z.strictObject({
  rollout: z.string().default("").describe("a *.rollout file, of world evaluate for one; empty: the expert plays"),
  out: z.string().default("").describe("the mp4 file; default: the rollout's name"),
  camera: z.string().default("front").describe("what films: front, or what the body carries (wrist)"),
  size: z.number().int().min(16).max(1024).multipleOf(2).default(448).describe("side of the video, pixels"),
  suite: z.enum(suitePresetNames).default("push").describe("tasks of the expert"),
  embodiment: z.string().default("arm").describe("the expert's body"),
  split: z.enum(splits).default("seen").describe("which tasks the expert plays"),
  perturbation: z.enum(perturbationNames).default("none").describe("controlled shift of the suite"),
  seed: z.number().int().min(0).default(0).describe("which task the expert plays"),
});

type Settings = z.infer<typeof config>;

/** Plays the expert once and keeps its log. */
async function playExpert({ embodiment, split, seed, ...choice }: Settings, path: string) {
  const instance = drawInstance({ suite: chooseSuite(choice), embodiment, split, seed });
  const [played] = await evaluateExpert({ instances: [instance], workers: 0, record: () => true });
  const log = played?.log;
  if (!log) throw new Error("the expert's rollout has no log");
  await writeRollout(path, log);
  return log;
}

export const recordCommand = defineCommand({
  summary: "films a rollout as mp4, with any of its cameras; without one, the expert plays a task",
  config,
  positionals: ["rollout", "out"],
  example: "world record runs/rollouts/3.rollout --camera wrist",
  async run(settings, { signal, print, result }) {
    const { rollout, camera, size, suite, embodiment, seed } = settings;
    const out = settings.out || (rollout || `${suite}-${embodiment}-${seed}`).replace(/\.rollout$/, ".mp4");
    const path = out.endsWith(".mp4") ? out : `${out}.mp4`;
    if (path === rollout) throw new UserError(`${rollout}: must be a *.rollout file, got a video. Name a rollout.`);
    mkdirSync(dirname(path), { recursive: true });
    const log = rollout ? await readRollout(rollout) : await playExpert(settings, path.replace(/\.mp4$/, ".rollout"));
    const frames = await writeRolloutVideo(path, log, { size, camera, shadowMapSize: 1024, signal });
    print(`${path}: ${frames} frames, "${log.instance.instruction}", ${log.success ? "solved" : "not solved"}`);
    result({ path, frames, success: log.success, reasons: log.reasons });
  },
});
