/** @file The artefacts of one seed: data, quantizers, inverse models, labels and pretrained backbones, each made once. */
import { join } from "node:path";
import { framePairs } from "#datasets/frame-pairs.ts";
import type { Executor, RunSettings } from "#engine/index.ts";
import {
  actionLabels,
  guessActions,
  inverseDynamicsConfig,
  openInverseModel,
  recordedActionLabels,
  trainInverseDynamics,
  trainVideoPlanner,
  videoPlannerConfig,
} from "#lapa/finetune/index.ts";
import { latentVlaPresets, latentVlaTrainConfig, trainLatentVla } from "#lapa/latent-vla/index.ts";
import {
  labelVideos,
  openQuantizer,
  openVideoData,
  pairActions,
  quantizerPresets,
  quantizerTrainConfig,
  trainQuantizer,
  type VideoData,
  videoDataConfig,
} from "#lapa/quantizer/index.ts";
import { simulateEpisodes, writeDemonstrations, writeSimulatedVideos } from "#world/index.ts";
import { type Arm, type BenchSuite, benchSuites, type Scale, type ScaleName, type Setting } from "./design.ts";
import type { Kept } from "./kept.ts";

export type SeedRun = {
  readonly suite: BenchSuite;
  readonly scaleName: ScaleName;
  readonly scale: Scale;
  readonly seed: number;
  readonly kept: Kept;
  readonly executor: Executor;
  readonly signal: AbortSignal;
  readonly command: string;
  readonly log: (line: string) => void;
  /** Folder of decoded frames. */
  readonly cache: string;
};

/** Pictures in the policy and the quantizer, pixels. */
export const imageSize = 64;
/** Bins of one action dimension in the labels of VPT and ActionVLA. */
const actionBins = 16;

const only = (kind: string, kinds: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.keys(kinds).map((name) => [name, name === kind ? 1 : 0]));

/** The one kind of task that the labelled episodes of `cross-task` show. */
const labelledKind = { push: "block-to-place", "pick-place": "put-on" } as const;

function simulate(run: SeedRun, embodiment: string, episodes: number, draw: number, kind?: string) {
  const { suite } = benchSuites[run.suite];
  const asked = kind === undefined ? suite : { ...suite, kinds: only(kind, suite.kinds) };
  return simulateEpisodes({
    ...{ suite: asked as typeof suite, embodiment, episodes, size: run.scale.pictureSize },
    ...{ seed: run.seed * 100 + draw, signal: run.signal },
  });
}

/** Videos without actions. The first of those of the robot are the episodes whose labels are known. */
export function videosOf(run: SeedRun, setting: Setting): Promise<string> {
  const body = setting === "cross-embodiment" ? "hand" : "robot";
  const { videos, pictureSize } = run.scale;
  return run.kept.folder(`videos-${body}`, { videos, pictureSize, body }, async (folder) => {
    const [embodiment, draw] = body === "hand" ? ["hand", 1] : [benchSuites[run.suite].robot, 2];
    await writeSimulatedVideos(simulate(run, embodiment as string, videos, draw as number), {
      ...{ directory: join(folder, "videos"), truthDirectory: join(folder, "truth"), signal: run.signal },
    });
  });
}

/** The robot's episodes with their actions: all of them, or `count` of one kind of task. */
export function recordedOf(run: SeedRun, setting: Setting, count: number): Promise<string> {
  const { videos, pictureSize } = run.scale;
  const kind = setting === "cross-task" ? labelledKind[run.suite] : undefined;
  const [name, episodes] = kind === undefined ? ["recorded", videos] : [`recorded-${kind}-${count}`, count];
  return run.kept.folder(name, { episodes, pictureSize, kind }, (folder) =>
    writeDemonstrations(simulate(run, benchSuites[run.suite].robot, episodes, kind === undefined ? 2 : 3, kind), {
      ...{ directory: join(folder, "set"), signal: run.signal },
    }),
  );
}

/** What a training reads. @param labelled episodes of the recorded set; 0: none, `undefined`: all */
export async function openInputs(
  run: SeedRun,
  inputs: {
    readonly videos?: string;
    readonly recorded?: string;
    readonly labelled?: number;
    readonly holdOut?: number;
  },
): Promise<VideoData> {
  const { videos, recorded, labelled, holdOut = 0.1 } = inputs;
  const where = videoDataConfig.parse({
    videos: videos === undefined ? [] : [join(videos, "videos")],
    datasets: recorded === undefined ? [] : [join(recorded, "set")],
    ...{ episodes: labelled ?? 0, holdOut, cache: run.cache },
  });
  return openVideoData(where, { size: imageSize, signal: run.signal });
}

/** Opens, works, closes. */
export async function withInputs<T>(
  run: SeedRun,
  inputs: Parameters<typeof openInputs>[1],
  work: (data: VideoData) => Promise<T>,
): Promise<T> {
  const data = await openInputs(run, inputs);
  try {
    return await work(data);
  } finally {
    data.close();
  }
}

export function runSettings(run: SeedRun, folder: string): RunSettings {
  const { executor, command, signal } = run;
  const log = { info: () => undefined, warn: run.log };
  return { executor, folder, command, signal, resume: true, log };
}

export type Cell = {
  readonly setting: Setting;
  readonly arm: Arm;
  /** Episodes whose actions are known. */
  readonly labelled: number;
};

/** A name and key of what a pretrained backbone of this cell depends on: cells that share it train it once. */
function pretrainingOf(run: SeedRun, { setting, arm, labelled }: Cell) {
  const usesLabels = arm === "vpt" || arm === "lapaImproved";
  const videos = setting === "cross-embodiment" && arm !== "actionVla" ? "hand" : "robot";
  const task = setting === "cross-task" && usesLabels ? "-one-task" : "";
  const name = `${arm}-${videos}${task}${usesLabels ? `-${labelled}` : ""}`;
  const { videos: count, quantizerSteps, latentSteps, inverseSteps, pictureSize } = run.scale;
  return { name, key: { count, quantizerSteps, latentSteps, inverseSteps, pictureSize, seed: run.seed } };
}

function quantizerConfigOf(run: SeedRun, arm: Arm) {
  const { offsetS } = benchSuites[run.suite];
  const shared = { steps: run.scale.quantizerSteps, offsetS, seed: run.seed };
  // The published quantizer loses codes on such data; its arm goes on with what is left, as a user of it would have to.
  return arm === "lapa"
    ? quantizerTrainConfig.parse({ ...quantizerPresets["paper-small"], ...shared, allowCollapse: true })
    : quantizerTrainConfig.parse({ ...quantizerPresets.tiny, ...shared });
}

async function pretrainOnCodes(run: SeedRun, cell: Cell, folder: string): Promise<void> {
  const videos = await videosOf(run, cell.setting);
  const isImproved = cell.arm === "lapaImproved";
  // Ours also looks at the labelled episodes: what they do is known to all arms that use labels.
  const recorded = isImproved ? await recordedOf(run, cell.setting, cell.labelled) : undefined;
  const inputs = { videos, ...(recorded ? { recorded, labelled: cell.labelled } : {}) };
  await withInputs(run, inputs, async (data) => {
    const config = quantizerConfigOf(run, cell.arm);
    await trainQuantizer(data, config, runSettings(run, join(folder, "quantizer")));
    run.signal.throwIfAborted();
    const quantizer = await openQuantizer(join(folder, "quantizer"));
    const { executor, signal } = run;
    const labels = await labelVideos(quantizer, data, { executor, signal, source: "videos" });
    await trainLatentVla(data, labels, latentConfig(run), runSettings(run, join(folder, "latent-vla")));
  });
}

function latentConfig({ scale, seed }: SeedRun) {
  return latentVlaTrainConfig.parse({ ...latentVlaPresets.tiny, steps: scale.latentSteps, seed });
}

/** The inverse model fitted on the labelled episodes: what VPT guesses with, and UniPi acts by. */
export function inverseModelOf(run: SeedRun, { setting, labelled }: Cell): Promise<string> {
  const { inverseSteps: steps, videos, pictureSize } = run.scale;
  const { offsetS } = benchSuites[run.suite];
  const task = setting === "cross-task" ? "-one-task" : "";
  const key = { steps, videos, pictureSize, seed: run.seed };
  return run.kept.folder(`inverse${task}-${labelled}`, key, async (folder) => {
    const recorded = await recordedOf(run, setting, labelled);
    const config = inverseDynamicsConfig.parse({ offsetS, steps, seed: run.seed });
    await withInputs(run, { recorded, labelled, holdOut: 0 }, (data) =>
      trainInverseDynamics(data, config, runSettings(run, folder)),
    );
    run.signal.throwIfAborted();
  });
}

async function pretrainOnGuesses(run: SeedRun, cell: Cell, folder: string): Promise<void> {
  const { offsetS } = benchSuites[run.suite];
  const model = await openInverseModel(await inverseModelOf(run, cell));
  const recorded = await recordedOf(run, cell.setting, cell.labelled);
  const fittedOn = await withInputs(run, { recorded, labelled: cell.labelled, holdOut: 0 }, async (data) => {
    return pairActions(data, framePairs(data.frames.clips, { offsetS })).actions;
  });
  const videos = await videosOf(run, cell.setting);
  await withInputs(run, { videos }, async (data) => {
    const pairs = framePairs(data.frames.clips, { offsetS });
    const actions = await guessActions(model, data.frames, pairs, run);
    const labels = actionLabels(data, pairs, actions, { fittedOn, bins: actionBins, offsetS, origin: model.id });
    await trainLatentVla(data, labels, latentConfig(run), runSettings(run, join(folder, "latent-vla")));
  });
}

/** UniPi's model of videos, trained as long as the backbones of the others. */
export async function plannerOf(run: SeedRun, { setting }: Cell): Promise<string> {
  const videos = await videosOf(run, setting);
  const { offsetS } = benchSuites[run.suite];
  const { latentSteps: steps, videos: count, pictureSize } = run.scale;
  const name = `unipi-${setting === "cross-embodiment" ? "hand" : "robot"}`;
  return run.kept.folder(name, { steps, count, pictureSize, seed: run.seed }, async (folder) => {
    const config = videoPlannerConfig.parse({ offsetS, steps, seed: run.seed });
    await withInputs(run, { videos }, (data) => trainVideoPlanner(data, config, runSettings(run, folder)));
    run.signal.throwIfAborted();
  });
}

async function pretrainOnActions(run: SeedRun, folder: string): Promise<void> {
  const { offsetS } = benchSuites[run.suite];
  await withInputs(run, { recorded: await recordedOf(run, "in-domain", run.scale.videos) }, (data) => {
    const labels = recordedActionLabels(data, { bins: actionBins, offsetS });
    return trainLatentVla(data, labels, latentConfig(run), runSettings(run, join(folder, "latent-vla")));
  });
}

/** The pretrained backbone of a cell: its run folder, or `undefined` for Scratch. */
export async function pretrained(run: SeedRun, cell: Cell): Promise<string | undefined> {
  if (cell.arm === "scratch") return undefined;
  const { name, key } = pretrainingOf(run, cell);
  const folder = await run.kept.folder(name, key, async (into) => {
    if (cell.arm === "actionVla") await pretrainOnActions(run, into);
    else if (cell.arm === "vpt") await pretrainOnGuesses(run, cell, into);
    else await pretrainOnCodes(run, cell, into);
    // A stopped training returns; what it left is not whole.
    run.signal.throwIfAborted();
  });
  return join(folder, "latent-vla");
}
