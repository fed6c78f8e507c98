/** @file The whole path: videos, latent actions, latent VLA, few demonstrations, policies, rollouts. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readLatentLabels, writeLatentLabels } from "#datasets/labels.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";
import type { Executor, RunSettings } from "#engine/index.ts";
import { createPolicy, finetune, openPolicyModel } from "#lapa/finetune/index.ts";
import { openBackbone, trainLatentVla } from "#lapa/latent-vla/index.ts";
import {
  createQuantizerRunner,
  evaluateQuantizer,
  labelVideos,
  openQuantizer,
  openVideoData,
  splitPairs,
  trainQuantizer,
  type VideoData,
  type VideoDataConfig,
  videoPairs,
} from "#lapa/quantizer/index.ts";
import { pushPresets, simulateEpisodes, writeDemonstrations, writeSimulatedVideos } from "#world/index.ts";
import type { Context } from "../command.ts";
import { readTruth } from "../quantizer/truth.ts";
import { trainProgress } from "../training.ts";
import { type DemoConfig, demoRobot as robot } from "./config.ts";
import { drawPictures } from "./pictures.ts";
import { playPolicies } from "./rollouts.ts";
import { createStages } from "./stages.ts";

export const stageNames = [
  "videos",
  "demonstrations",
  "quantizer",
  "codes",
  "labels",
  "latent-vla",
  "policy-lapa",
  "policy-scratch",
  "rollouts",
] as const;

export type DemoOutcome = Awaited<ReturnType<typeof runPipeline>>;

export async function runPipeline(config: DemoConfig, executor: Executor, context: Context) {
  const { folder, seed } = config;
  const inFolder = (name: string) => join(folder, name);
  const stages = createStages(inFolder("stages"), stageNames, context);
  const isReal = config.videos !== "";
  const simulate = (label: string, embodiment: string, episodes: number, seedOffset: number) => {
    const progress = context.progress(label, episodes, "episodes");
    const played = simulateEpisodes({
      ...{ suite: pushPresets.demo, embodiment, episodes, seed: seed * 100 + seedOffset, size: config.pictureSize },
      signal: context.signal,
      onProgress: (done) => (done === episodes ? progress.finish() : progress.update(done)),
    });
    return played;
  };
  const sizes = { episodes: config.episodes, pictureSize: config.pictureSize, seed };
  const videos = isReal ? config.videos : inFolder("videos");
  await stages.run(
    { name: "videos", owns: isReal ? [] : [inFolder("videos"), inFolder("truth")] },
    isReal ? { videos, files: (await listVideoFolder(videos)).map(({ name }) => name) } : sizes,
    () =>
      isReal
        ? Promise.resolve(null)
        : writeSimulatedVideos(simulate("hand videos", "hand", config.episodes, 1), {
            ...{ directory: videos, truthDirectory: inFolder("truth"), signal: context.signal },
          }),
  );
  await stages.run(
    { name: "demonstrations", owns: [inFolder("demonstrations")] },
    { ...sizes, demonstrations: config.demonstrations },
    () =>
      writeDemonstrations(simulate("demonstrations", robot, config.demonstrations, 2), {
        ...{ directory: inFolder("demonstrations"), signal: context.signal },
      }),
  );

  const data = await openLazily(context, {
    videos: {
      ...config.quantizer.data,
      videos: [videos],
      datasets: [inFolder("demonstrations")],
      cache: inFolder("frames"),
    },
    robot: { ...config.quantizer.data, datasets: [inFolder("demonstrations")], holdOut: 0, cache: inFolder("frames") },
    size: config.quantizer.model.imageSize,
  });
  const training = (name: string, steps: number): RunSettings => ({
    executor,
    folder: inFolder(name),
    command: context.commandLine,
    resume: true,
    signal: context.signal,
    log: context.log,
    onProgress: trainProgress(context, name, steps).show,
  });
  const trainStage = (name: (typeof stageNames)[number]) => ({ name, owns: [inFolder(name)], resumes: true });
  const owned = (value: object) => ({ ...value, seed });

  try {
    const { usage } = await stages.run(trainStage("quantizer"), config.quantizer, async () =>
      trainQuantizer(await data.all(), owned(config.quantizer) as never, training("quantizer", config.quantizer.steps)),
    );
    const codes = await stages.run({ name: "codes", owns: [] }, { isReal }, async () => {
      const quantizer = await openQuantizer(inFolder("quantizer"));
      const all = await data.all();
      const { frames } = all;
      const { train, heldOut } = splitPairs(all, quantizer.config);
      const runner = createQuantizerRunner(quantizer, executor);
      // The probe speaks of people's videos; the demonstrations among the clips have another body.
      const metrics = await evaluateQuantizer(runner, {
        ...{ frames, train: videoPairs(all, train.pairs), heldOut: videoPairs(all, heldOut) },
        ...quantizer.config.model,
        truth: isReal ? undefined : readTruth(inFolder("truth"), frames.clips),
      });
      const pictures = await drawPictures(runner, frames, videoPairs(all, heldOut));
      await runner.dispose();
      return { metrics, pictures, clips: frames.clips.length, problems: all.problems };
    });
    await stages.run({ name: "labels", owns: [] }, {}, async () => {
      const quantizer = await openQuantizer(inFolder("quantizer"));
      const labels = await labelVideos(quantizer, await data.all(), {
        executor,
        source: videos,
        signal: context.signal,
      });
      writeLatentLabels(inFolder("labels.parquet"), labels);
      return { pairs: labels.episodes.length };
    });
    const latent = await stages.run(trainStage("latent-vla"), config.latentVla, async () => {
      const labels = await readLatentLabels(inFolder("labels.parquet"));
      const how = training("latent-vla", config.latentVla.steps);
      const { metrics } = await trainLatentVla(await data.all(), labels, owned(config.latentVla) as never, how);
      return metrics;
    });
    for (const name of ["policy-lapa", "policy-scratch"] as const) {
      await stages.run(trainStage(name), { ...config.finetune, latent: config.latentVla.model }, async () => {
        const pretrained = name === "policy-lapa" ? await openBackbone(inFolder("latent-vla")) : undefined;
        const settings = { ...config.finetune, model: config.latentVla.model, seed };
        const result = await finetune(await data.robot(), settings, training(name, settings.steps), { pretrained });
        return result.metrics;
      });
    }
    const rollouts = await stages.run(
      { name: "rollouts", owns: [inFolder("rollouts")] },
      { rollouts: config.rollouts },
      async () => {
        const policies = await Promise.all(
          (["lapa", "scratch"] as const).map(async (arm) => {
            const model = await openPolicyModel(inFolder(`policy-${arm}`));
            return [arm, createPolicy(model, executor)] as const;
          }),
        );
        mkdirSync(inFolder("rollouts"), { recursive: true });
        return playPolicies(new Map(policies), { ...config, folder: inFolder("rollouts") }, context);
      },
    );
    return { folder, isReal, usage, codes, latent, rollouts, seconds: { ...stages.seconds() } };
  } finally {
    data.close();
  }
}

/** Decodes at the first use: a run in which nothing is left to do opens nothing. */
async function openLazily(
  context: Context,
  { videos, robot: demonstrations, size }: { videos: VideoDataConfig; robot: VideoDataConfig; size: number },
) {
  const opened = new Map<VideoDataConfig, Promise<VideoData>>();
  const open = (config: VideoDataConfig) => {
    const known = opened.get(config);
    if (known) return known;
    let progress: ReturnType<Context["progress"]> | undefined;
    const data = openVideoData(config, {
      size,
      signal: context.signal,
      onProgress: (done, total) => {
        progress ??= context.progress("decode", total, "clips");
        if (done === total) progress.finish();
        else progress.update(done);
      },
    });
    opened.set(config, data);
    return data;
  };
  return {
    all: () => open(videos),
    robot: () => open(demonstrations),
    close: () => {
      for (const data of opened.values()) void data.then((open) => open.close()).catch(() => undefined);
    },
  };
}
