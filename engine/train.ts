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
import { type BatchAt, createPrefetch, type Prefetch } from "./train/batches.ts";
import { createGuard, type Guard } from "./train/guard.ts";
import { type BestRule, createJudge } from "./train/judge.ts";
import { followRun, openRun, type Run } from "./train/run-folder.ts";
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
  const run = writes(options)
    ? await openRun({ folder, config, command, engine, seed, dataHash, parents, resume, now })
    : followRun(folder);
  try {
    return await loop(options, run, await resumeFrom(options, run));
  } finally {
    run.close();
  }
}

/** With several workers the first one writes the run folder; the others compute. */
const writes = ({ step }: TrainOptions) => (step.cluster?.index ?? 0) === 0;

/** Loads the newest checkpoint where there is one; with several workers all take the first one's. @returns the updates done so far */
async function resumeFrom({ step, log = silentLog }: TrainOptions, run: Run): Promise<number> {
  const { resumedFrom } = run;
  if (resumedFrom === undefined && step.cluster === undefined) return 0;
  const state = resumedFrom === undefined ? await step.state() : (await readCheckpoint(resumedFrom.path)).state;
  await step.load(state);
  const done = (await step.state()).optimizer.updates.data[0]!;
  if (done > 0) log.info(`${run.folder}: goes on after step ${done}.`);
  if (run.changed.length > 0) log.warn(`${run.folder}: the configuration has changed: ${run.changed.join(", ")}.`);
  return done;
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

/** What a step needs besides its number. */
type Running = {
  readonly options: TrainOptions;
  readonly batches: Prefetch;
  readonly guard: Guard;
};

/**
 * Runs the batches of one update.
 *
 * @param asksToStop with several workers: tells the others that this one wants to end
 * @returns means over the batches, and whether any worker asked to end
 */
async function runUpdate({ options, batches, guard }: Running, step: number, asksToStop: boolean) {
  const { step: trainStep, learningRate, onOutputs } = options;
  const rate = learningRate(step - 1);
  const parts: Scalars[] = [];
  let isAsked = false;
  for (let part = 0; part < trainStep.accumulate; part++) {
    const batch = await batches.next();
    const running = trainStep.run(batch, { learningRate: rate, stop: Number(asksToStop) });
    batches.fill();
    const { stop, ...outputs } = await running;
    isAsked = (stop?.data[0] ?? 0) > 0;
    parts.push(scalarsOf(outputs));
    guard(step, parts.at(-1)!, batch, rate);
    onOutputs?.(step, outputs);
  }
  return { metrics: meanScalars(parts), rate, isAsked };
}

/** How a run ends before its last step. With several workers all end after the same step: the one that was voted on. */
function stoppedBy({ step, signal }: TrainOptions, isAsked: boolean): TrainResult["stopped"] {
  const isAborted = signal?.aborted === true;
  if (step.cluster === undefined) return isAborted ? "aborted" : "finished";
  if (!isAsked) return "finished";
  return isAborted ? "aborted" : "early";
}

async function loop(options: TrainOptions, run: Run, start: number): Promise<TrainResult> {
  const { step: trainStep, batchAt, batchSize, steps, evaluation, signal } = options;
  const { logEvery = 10, checkpointEvery = 500, keep = 3, prefetch = 2, clock = systemClock } = options;
  const { accumulate, compiled } = trainStep;

  const batches = createPrefetch(batchAt, start * accumulate, steps * accumulate, prefetch);
  const samples = batchSize * accumulate;
  const flops = countFlops(compiled.program) * accumulate * (trainStep.cluster?.count ?? 1);
  const speed = createSpeedometer({ clock, compiled, samples, flops });
  const guard = createGuard(trainStep.name, run.checkpoints);
  const isWriter = writes(options);
  const judge = evaluation?.best === undefined || !isWriter ? undefined : createJudge(run, evaluation.best);
  const saver = createSaver(options, run);
  let metrics: Scalars = {};
  let stopped: TrainResult["stopped"] = "finished";
  let asksToStop = false;
  let step = start;

  while (step < steps && stopped === "finished") {
    asksToStop ||= signal?.aborted === true;
    speed.start();
    const update = await runUpdate({ options, batches, guard }, ++step, asksToStop);
    metrics = update.metrics;
    const progress = speed.stop(steps - step);
    options.onProgress?.({ ...progress, step, steps, loss: metrics.loss! });

    const last = step === steps;
    if (!last) stopped = stoppedBy(options, update.isAsked);
    if (!isWriter) continue;
    if (step % logEvery === 0 || last) {
      const { secondsLeft: _, ...rates } = progress;
      run.log({ step, ...metrics, learningRate: update.rate, ...rates });
    }
    const evaluates = evaluation !== undefined && stopped === "finished" && (step % evaluation.every === 0 || last);
    const saves = step % checkpointEvery === 0 || last;
    if (!evaluates && !saves && stopped === "finished") continue;

    const state = await trainStep.state();
    if (evaluates) {
      const values = await evaluation.measure(state, step);
      metrics = { ...metrics, ...asEvaluation(values) };
      run.log({ step, ...asEvaluation(values) });
      const isEnough = await judge?.judge(step, values, () => saver.save(step, state, metrics));
      asksToStop ||= isEnough === true;
      if (isEnough === true && !last && trainStep.cluster === undefined) stopped = "early";
    }
    if (saves || stopped !== "finished") await saver.save(step, state, metrics);
    await pruneCheckpoints(run.checkpoints, keep);
  }
  const best = judge === undefined ? undefined : bestCheckpoint(run.checkpoints);
  // Where another worker writes it, it may not be there yet.
  const checkpoint = saver.last() ?? { step, path: checkpointPath(run.checkpoints, step) };
  return { step, stopped, checkpoint, best, metrics };
}
