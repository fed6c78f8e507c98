/** @file What the training commands share: where a run lives, which engine works, and what its progress looks like. */
import { join } from "node:path";
import { z } from "zod";
import {
  createExecutor,
  type Executor,
  engineKinds,
  type RunSettings,
  readCluster,
  type TrainProgress,
} from "#engine/index.ts";
import { openVideoData, type VideoData, type VideoDataConfig } from "#lapa/quantizer/index.ts";
import type { Context } from "./command.ts";

export const engineConfig = z.strictObject({
  kind: z.enum(engineKinds).default("auto").describe("what computes; auto takes the fastest present"),
  threads: z.number().int().min(0).default(0).describe("threads of one operation; 0: one per core, at most 8"),
  exposed: z.boolean().default(false).describe("a worker's port may be on a public address (docs/cluster.md)"),
});

/** Fields that every training command has besides its own. */
export const runFields = {
  resume: z.boolean().default(false).describe("go on from the run's newest checkpoint"),
  engine: engineConfig.prefault({}),
};

export const runName = (name: string) => z.string().min(1).default(name).describe("name of the run, a folder in runs/");

/** Starts the engine and says which and why. */
export async function openEngine(config: z.infer<typeof engineConfig>, context: Context): Promise<Executor> {
  const { kind, threads, exposed } = config;
  const workers = readCluster();
  const cluster = workers && { ...workers, exposed };
  const executor = await createExecutor({ kind, cluster, ...(threads > 0 ? { threads } : {}) });
  context.log.info(`engine: ${executor.reason}`);
  return executor;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A progress line per training run. */
export function trainProgress(context: Context, label: string, steps: number) {
  const progress = context.progress(label, steps, "steps");
  return {
    show: ({ step, loss, samplesPerSecond, teraflops, dataShare }: TrainProgress) => {
      const fields = { loss, "samples/s": samplesPerSecond, "TFLOP/s": teraflops, data: percent(dataShare) };
      progress.update(step, fields);
      if (step === steps) progress.finish(`loss ${loss.toFixed(4)}`);
    },
  };
}

export type RunConfig = { readonly run: string; readonly resume: boolean; readonly steps: number };

/** Runs one training with an engine of its own and a progress line. */
export async function withRun<T>(
  config: RunConfig & { readonly engine: z.infer<typeof engineConfig> },
  context: Context,
  work: (run: RunSettings) => Promise<T>,
): Promise<T> {
  const executor = await openEngine(config.engine, context);
  const folder = join("runs", config.run);
  const progress = trainProgress(context, config.run, config.steps);
  try {
    return await work({
      executor,
      folder,
      command: context.commandLine,
      resume: config.resume,
      signal: context.signal,
      log: context.log,
      onProgress: progress.show,
    });
  } finally {
    await executor.dispose();
  }
}

/** Decodes the clips with a progress line and lists those that cannot be used. */
export async function openData(config: VideoDataConfig, size: number, context: Context): Promise<VideoData> {
  let progress: ReturnType<Context["progress"]> | undefined;
  const data = await openVideoData(config, {
    size,
    signal: context.signal,
    onProgress: (done, total) => {
      progress ??= context.progress("decode", total, "clips");
      progress.update(done);
    },
  });
  const frames = data.frames.clips.reduce((sum, clip) => sum + clip.frames, 0);
  progress?.finish(`${data.frames.clips.length} clips, ${frames} frames`);
  for (const { message } of data.problems) context.log.warn(`left out: ${message}`);
  return data;
}
