/**
 * @file Real robots: does latent pretraining help when there are few demonstrations? The same policy is fine-tuned on 10, 20
 * and 50 episodes of a real arm and a real humanoid, from scratch, after latent pretraining on people's videos, and after
 * latent pretraining on the robot's own videos without their actions. Measured open loop on episodes that neither training
 * saw, the same for every arm. Nothing is driven: what an error means for success is not known here.
 *
 * Pretrainings and cells are kept as they are done; the result is written after every cell.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { createRng } from "#core/rng.ts";
import { writeWhole } from "#core/write-whole.ts";
import { readLatentLabels, writeLatentLabels } from "#datasets/labels.ts";
import type { Executor, RunSettings } from "#engine/index.ts";
import { finetune, finetuneConfig, finetunePresets, openPolicyModel } from "#lapa/finetune/index.ts";
import {
  type Backbone,
  latentVlaPresets,
  latentVlaTrainConfig,
  openBackbone,
  trainLatentVla,
} from "#lapa/latent-vla/index.ts";
import {
  labelVideos,
  openQuantizer,
  type QuantizerTrainConfig,
  quantizerPresets,
  quantizerTrainConfig,
  trainQuantizer,
  type VideoData,
} from "#lapa/quantizer/index.ts";
import { type EpisodeErrors, measureEpisodes, spreadOf } from "./real-robots-errors.ts";

export const robotNames = ["cr5", "g1"] as const;
export type RobotName = (typeof robotNames)[number];

export const robotArms = ["scratch", "human videos", "own videos"] as const;
export type RobotArm = (typeof robotArms)[number];

/** What differs between the robots. */
export const robotFacts = {
  cr5: { folder: "robot_cr5", actionKind: "joint-velocity", frameStride: 2 },
  g1: { folder: "robot_g1", actionKind: "joint-position", frameStride: 6 },
} as const satisfies Record<RobotName, object>;

export type RobotCellKey = {
  readonly robot: RobotName;
  readonly arm: RobotArm;
  readonly episodes: number;
  readonly seed: number;
};

export type RobotCell = RobotCellKey & {
  /** One per held-out episode, in the same order in every cell of a robot. */
  readonly errors: readonly EpisodeErrors[];
  readonly minutes: number;
};

export const cellName = ({ robot, arm, episodes, seed }: RobotCellKey): string =>
  `${robot}-${arm.replaceAll(" ", "-")}-${episodes}-${seed}`;

export type RobotSteps = { readonly quantizer: number; readonly latentVla: number; readonly finetune: number };

export type Seen = { readonly pairs: VideoData; readonly pictures: VideoData };

export type RobotBenchOptions = {
  readonly folder: string;
  readonly executor: Executor;
  readonly steps: RobotSteps;
  /** Each is opened when the first cell asks for it. */
  readonly robots: Readonly<Record<RobotName, () => Promise<VideoData>>>;
  /** People's videos in pairs, none held out: as the quantizer sees them, and the same pairs as whole pictures. */
  readonly human: () => Promise<Seen>;
  /** How the quantizer learns from human videos. */
  readonly humanQuantizer: z.input<typeof quantizerTrainConfig>;
  readonly heldOutEpisodes: number;
  readonly command: string;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

/** Which episodes are measured and which may teach, decided by content; the first of `teaching` are a seed's demonstrations. */
export function splitEpisodes(data: Pick<VideoData, "frames">, heldOut: number, seed: number) {
  const byContent = [...data.frames.clips.entries()]
    .sort(([, a], [, b]) => (a.hash < b.hash ? -1 : 1))
    .map(([clip]) => clip);
  createRng("real-robots/held-out").shuffle(byContent);
  const [measured, teaching] = [byContent.slice(0, heldOut), byContent.slice(heldOut)];
  return { measured: measured.sort((a, b) => a - b), teaching: createRng(`real-robots/${seed}`).shuffle(teaching) };
}

/** The same clips, of which training sees the chosen ones alone. */
const teachingOnly = (data: VideoData, chosen: ReadonlySet<number>): VideoData => ({
  ...data,
  heldOut: data.frames.clips.map((_, clip) => !chosen.has(clip)),
});

const settings = (name: string, { executor, folder, command, signal, log }: RobotBenchOptions): RunSettings => ({
  ...{ executor, command, signal, resume: true, folder: join(folder, name) },
  log: { info: log, warn: log },
});

/** Quantizer, labels and latent pretraining on videos whose actions nobody reads. */
async function pretrain(
  name: string,
  { pairs, pictures }: Seen,
  given: QuantizerTrainConfig,
  seed: number,
  options: RobotBenchOptions,
): Promise<Backbone> {
  const { executor, folder, signal, log, steps } = options;
  const run = (part: string) => settings(join("pretrained", name, part), options);
  const labelsFile = join(folder, "pretrained", name, "labels.parquet");
  if (!existsSync(labelsFile)) {
    log(`${name}: latent actions`);
    await trainQuantizer(pairs, given, run("quantizer"));
    signal.throwIfAborted();
    const quantizer = await openQuantizer(run("quantizer").folder);
    writeLatentLabels(labelsFile, await labelVideos(quantizer, pairs, { executor, source: name, signal }));
  }
  const done = join(folder, "pretrained", name, "latent-vla.done");
  if (!existsSync(done)) {
    log(`${name}: latent pretraining`);
    const config = latentVlaTrainConfig.parse({ ...latentVlaPresets.tiny, batch: 64, steps: steps.latentVla, seed });
    const { metrics } = await trainLatentVla(pictures, await readLatentLabels(labelsFile), config, run("latent-vla"));
    signal.throwIfAborted();
    writeWhole(done, JSON.stringify(metrics));
  }
  return openBackbone(run("latent-vla").folder);
}

/** What an arm starts from; `undefined`: nothing. */
async function backboneOf(
  { robot, arm, seed }: RobotCellKey,
  options: RobotBenchOptions,
): Promise<Backbone | undefined> {
  if (arm === "scratch") return undefined;
  const { steps, humanQuantizer, heldOutEpisodes } = options;
  if (arm === "human videos") {
    const config = quantizerTrainConfig.parse({ ...humanQuantizer, steps: steps.quantizer, seed, allowCollapse: true });
    return pretrain(`human-${seed}`, await options.human(), config, seed, options);
  }
  const data = await options.robots[robot]();
  const { teaching } = splitEpisodes(data, heldOutEpisodes, seed);
  const unlabelled = { ...teachingOnly(data, new Set(teaching)), recorded: data.recorded.map(() => undefined) };
  const config = { ...quantizerPresets.tiny, batch: 32, steps: steps.quantizer, seed, allowCollapse: true };
  const seen = { pairs: unlabelled, pictures: unlabelled };
  return pretrain(`${robot}-${seed}`, seen, quantizerTrainConfig.parse(config), seed, options);
}

/** Trains and measures one cell; one that was measured is read. */
export async function measureRobotCell(key: RobotCellKey, options: RobotBenchOptions): Promise<RobotCell> {
  const { folder, executor, steps, heldOutEpisodes, signal, log } = options;
  const name = cellName(key);
  const file = join(folder, "cells", `${name}.json`);
  const known = readRobotCell(folder, key);
  if (known !== undefined) return known;
  const pretrained = await backboneOf(key, options);
  const start = performance.now();
  const data = await options.robots[key.robot]();
  const { measured, teaching } = splitEpisodes(data, heldOutEpisodes, key.seed);
  const chosen = new Set(teaching.slice(0, key.episodes));
  const { actionKind, frameStride } = robotFacts[key.robot];
  const config = finetuneConfig.parse({
    ...{ ...finetunePresets.tiny, batch: 32, steps: steps.finetune, seed: key.seed, actionKind },
    model: latentVlaTrainConfig.parse({}).model,
  });
  const run = settings(join("policies", name), options);
  await finetune(teachingOnly(data, chosen), config, run, { pretrained });
  signal.throwIfAborted();
  const errors = await measureEpisodes(await openPolicyModel(run.folder), data, measured, {
    ...{ executor, frameStride },
    spread: spreadOf(data, teaching),
  });
  const cell = { ...key, errors, minutes: (performance.now() - start) / 60_000 };
  mkdirSync(join(folder, "cells"), { recursive: true });
  writeWhole(file, JSON.stringify(cell));
  log(`${name}: action error ${meanError(cell).toFixed(4)}, ${cell.minutes.toFixed(1)} min`);
  return cell;
}

export function readRobotCell(folder: string, key: RobotCellKey): RobotCell | undefined {
  const file = join(folder, "cells", `${cellName(key)}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as RobotCell) : undefined;
}

/** Mean over episodes. */
export const meanError = ({ errors }: RobotCell): number =>
  errors.reduce((sum, { actionError }) => sum + actionError / errors.length, 0);
