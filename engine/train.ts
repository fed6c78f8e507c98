/**
 * @file The training loop: next batch, run, log, evaluate, checkpoint. A run is a function of its config, seed and data:
 * batches are asked for by index, so a resumed run goes on bit for bit as if it had never stopped.
 */
import { type Clock, systemClock } from "#core/clock.ts";
import { ConfigError } from "#core/errors.ts";
import { type Log, silentLog } from "#core/log.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint/checkpoint.ts";
import { bestCheckpoint, checkpointPath, pruneCheckpoints, type Saved } from "./checkpoint/checkpoint-folder.ts";
import type { CheckpointFacts } from "./checkpoint/meta.ts";
import type { Executor } from "./executors/executor.ts";
import { countFlops } from "./program/flops.ts";
import type { Schedule } from "./schedules.ts";
import { type BatchAt, createPrefetch } from "./train/batches.ts";
import { createGuard } from "./train/guard.ts";
import { type BestRule, createJudge } from "./train/judge.ts";
import { openRun, type Run } from "./train/run-folder.ts";
import { meanScalars, type Scalars, scalarsOf } from "./train/scalars.ts";
import { createSpeedometer, type Speed } from "./train/speedometer.ts";
import type { TrainState, TrainStep } from "./train-step.ts";
import type { HostArray } from "./tree.ts";

export type Evaluation = {
  /** Steps between evaluations; one more follows the last step. */
  readonly every: number;
  /** Measures the state; runs while the executor is free. */
  measure(state: TrainState, step: number): Promise<Scalars>;
  /** By which of the numbers the best checkpoint is chosen. */
  readonly best?: BestRule;
};

export type TrainOptions = {
  readonly step: TrainStep;
  /** Must give the same batch for the same index, in arrays of its own; index = step * accumulate + part. */
  readonly batchAt: BatchAt;
  /** Samples in one batch, for the rate. */
  readonly batchSize: number;
  readonly steps: number;
  readonly learningRate: Schedule;
  readonly folder: string;
  readonly config: unknown;
  readonly command: string;
  readonly engine: string;
  readonly seed: number;
  readonly dataHash: string;
  readonly parents?: readonly string[];
  /** What a policy needs besides its weights; goes into each checkpoint's meta.json. */
  readonly statistics?: CheckpointFacts["statistics"];
  /** Go on from the newest checkpoint in the folder. */
  readonly resume?: boolean;
  readonly logEvery?: number;
  readonly checkpointEvery?: number;
  /** Newest checkpoints that stay, besides the best. */
  readonly keep?: number;
  /** Batches made ahead of their use. */
  readonly prefetch?: number;
  readonly evaluation?: Evaluation;
  /** Saves a checkpoint after the running step and returns. */
  readonly signal?: AbortSignal;
  /** Every step. */
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Every step, with all outputs of the step. */
  readonly onOutputs?: (step: number, outputs: Readonly<Record<string, HostArray>>) => void;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly now?: () => Date;
};

/** How one training run is carried out, apart from what is learned. */
export type RunSettings = Pick<TrainOptions, "folder" | "command" | "resume" | "signal" | "onProgress" | "log"> & {
  readonly executor: Executor;
};

export type TrainProgress = Speed & { readonly step: number; readonly steps: number; readonly loss: number };

export type TrainResult = {
  readonly step: number;
  readonly stopped: "finished" | "aborted" | "early";
  readonly checkpoint: Saved;
  readonly best: Saved | undefined;
  readonly metrics: Scalars;
};

/**
 * Trains until `steps` updates are done, the signal fires or patience ends.
 *
 * @throws UserError when the loss is not finite or explodes, or the disk is full; what was saved before stays
 * @throws ConfigError when the folder is in use, holds another run, or does not fit `step`
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { steps, folder, config, command, engine, seed, dataHash, parents = [], resume = false } = options;
  if (!(steps >= 1)) throw new ConfigError(`train: must take at least 1 step, got ${steps}.`);
  const { now = () => new Date() } = options;
  const run = await openRun({ folder, config, command, engine, seed, dataHash, parents, resume, now });
  try {
    return await loop(options, run, await resumeFrom(options, run));
  } finally {
    run.close();
  }
}

/** Loads the newest checkpoint where there is one. @returns the updates done so far */
async function resumeFrom({ step, log = silentLog }: TrainOptions, run: Run): Promise<number> {
  if (run.resumedFrom === undefined) return 0;
  await step.load((await readCheckpoint(run.resumedFrom.path)).state);
  log.info(`${run.folder}: goes on after step ${run.resumedFrom.step}.`);
  if (run.changed.length > 0) log.warn(`${run.folder}: the configuration has changed: ${run.changed.join(", ")}.`);
  return run.resumedFrom.step;
}

/** Writes checkpoints and remembers the last one. */
function createSaver({ config, seed, engine, dataHash, parents = [], statistics = null }: TrainOptions, run: Run) {
  let last = run.resumedFrom;
  return {
    last: () => last,
    async save(step: number, state: TrainState, metrics: Scalars): Promise<void> {
      if (last?.step === step) return;
      const path = checkpointPath(run.checkpoints, step);
      const facts = { step, seed, code: run.code, engine, parents: [...parents], dataHash, statistics, metrics };
      await writeCheckpoint(path, { state, config, facts });
      last = { step, path };
    },
  };
}

const asEvaluation = (values: Scalars): Scalars =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`eval/${name}`, value]));

async function loop(options: TrainOptions, run: Run, start: number): Promise<TrainResult> {
  const { step: trainStep, batchAt, batchSize, steps, learningRate, evaluation, signal } = options;
  const { logEvery = 10, checkpointEvery = 500, keep = 3, prefetch = 2, clock = systemClock } = options;
  const { accumulate, compiled } = trainStep;

  const batches = createPrefetch(batchAt, start * accumulate, steps * accumulate, prefetch);
  const samples = batchSize * accumulate;
  const flops = countFlops(compiled.program) * accumulate;
  const speed = createSpeedometer({ clock, compiled, samples, flops });
  const guard = createGuard(trainStep.name, run.checkpoints);
  const judge = evaluation?.best === undefined ? undefined : createJudge(run, evaluation.best);
  const saver = createSaver(options, run);
  let metrics: Scalars = {};
  let stopped: TrainResult["stopped"] = "finished";
  let step = start;

  while (step < steps && stopped === "finished") {
    const rate = learningRate(step);
    const parts: Scalars[] = [];
    speed.start();
    for (let part = 0; part < accumulate; part++) {
      const batch = await batches.next();
      const running = trainStep.run(batch, { learningRate: rate });
      batches.fill();
      const outputs = await running;
      parts.push(scalarsOf(outputs));
      guard(step + 1, parts.at(-1)!, batch, rate);
      options.onOutputs?.(step + 1, outputs);
    }
    step++;
    metrics = meanScalars(parts);
    const progress = speed.stop(steps - step);
    options.onProgress?.({ ...progress, step, steps, loss: metrics.loss! });

    const last = step === steps;
    if (signal?.aborted === true && !last) stopped = "aborted";
    if (step % logEvery === 0 || last) {
      const { secondsLeft: _, ...rates } = progress;
      run.log({ step, ...metrics, learningRate: rate, ...rates });
    }
    const evaluates = evaluation !== undefined && stopped !== "aborted" && (step % evaluation.every === 0 || last);
    if (!evaluates && step % checkpointEvery !== 0 && !last && stopped !== "aborted") continue;

    const state = await trainStep.state();
    if (evaluates) {
      const values = await evaluation.measure(state, step);
      metrics = { ...metrics, ...asEvaluation(values) };
      run.log({ step, ...asEvaluation(values) });
      const ends = await judge?.judge(step, values, () => saver.save(step, state, metrics));
      if (ends === true && !last) stopped = "early";
    }
    if (step % checkpointEvery === 0 || last || stopped !== "finished") await saver.save(step, state, metrics);
    await pruneCheckpoints(run.checkpoints, keep);
  }
  const best = judge === undefined ? undefined : bestCheckpoint(run.checkpoints);
  return { step, stopped, checkpoint: saver.last()!, best, metrics };
}
