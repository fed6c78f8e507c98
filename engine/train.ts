/**
 * @file The training loop: next batch, run, log, evaluate, checkpoint. A run is a function of its config, seed and data:
 * batches are asked for by index, so a resumed run goes on bit for bit as if it had never stopped.
 */
import { type Clock, systemClock } from "#core/clock.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { type Log, silentLog } from "#core/log.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint/checkpoint.ts";
import {
  type Best,
  bestCheckpoint,
  checkpointPath,
  latestCheckpoint,
  pruneCheckpoints,
  readBest,
  type Saved,
  writeBest,
} from "./checkpoint/checkpoint-folder.ts";
import type { CheckpointFacts } from "./checkpoint/meta.ts";
import { readMetrics } from "./metrics/metrics-file.ts";
import { countFlops } from "./program/flops.ts";
import type { Schedule } from "./schedules.ts";
import { type Batch, type BatchAt, createPrefetch, fingerprint } from "./train/batches.ts";
import { openRun, type Run } from "./train/run-folder.ts";
import { createSpeedometer, type Speed } from "./train/speedometer.ts";
import type { TrainState, TrainStep } from "./train-step.ts";
import type { HostArray } from "./tree.ts";

export type Evaluation = {
  /** Steps between evaluations; one more follows the last step. */
  readonly every: number;
  /** Measures the state; runs while the executor is free. */
  measure(state: TrainState, step: number): Promise<Record<string, number>>;
  /** By which of the numbers the best checkpoint is chosen. */
  readonly best?: {
    readonly metric: string;
    readonly mode: "min" | "max";
    /** Stops after so many evaluations without a new best. */
    readonly patience?: number;
  };
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

export type TrainProgress = Speed & { readonly step: number; readonly steps: number; readonly loss: number };

export type TrainResult = {
  readonly step: number;
  readonly stopped: "finished" | "aborted" | "early";
  readonly checkpoint: Saved;
  readonly best: Saved | undefined;
  readonly metrics: Readonly<Record<string, number>>;
};

/** A loss this many times the largest of the first steps is an explosion. */
const explosionFactor = 100;
const firstSteps = 20;

const scalarsOf = (outputs: Readonly<Record<string, HostArray>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, { data }]) => (data.length === 1 ? [[name, Number(data[0])]] : [])),
  );

/** Means of the scalars of all batches of one update. */
function meanScalars(parts: readonly Record<string, number>[]): Record<string, number> {
  const last = parts.at(-1)!;
  const means = Object.keys(last).map((name) => [
    name,
    parts.reduce((sum, part) => sum + part[name]!, 0) / parts.length,
  ]);
  // The norm is that of the averaged gradient, complete with the last batch.
  return { ...Object.fromEntries(means), gradNorm: last.gradNorm! };
}

/** Stops a run whose numbers went wrong, before a bad state can be saved. */
function createGuard(name: string, run: Run) {
  let reference = 0;
  let seen = 0;
  return (step: number, { loss, gradNorm }: Record<string, number>, batch: Batch, learningRate: number): void => {
    const exploded = seen >= firstSteps && loss! > explosionFactor * reference;
    if (Number.isFinite(loss) && Number.isFinite(gradNorm) && !exploded) {
      if (seen++ < firstSteps) reference = Math.max(reference, Math.abs(loss!));
      return;
    }
    const good = latestCheckpoint(run.checkpoints);
    const from = good === undefined ? "No checkpoint was saved yet." : `The last good checkpoint is ${good.path}.`;
    throw new UserError(
      `train "${name}": step ${step} gave loss ${loss} and gradient norm ${gradNorm}` +
        `${exploded ? `, more than ${explosionFactor} times the first losses` : ""} ` +
        `(batch ${fingerprint(batch)}, learning rate ${learningRate}). ${from} Lower the learning rate or look at the batch.`,
    );
  };
}

/** Evaluations since the best one, from the rows written so far. */
function evaluationsSince(folder: string, best: Best | undefined, metric: string): number {
  if (best === undefined) return 0;
  return readMetrics(`${folder}/metrics.jsonl`).filter((row) => row.step > best.step && `eval/${metric}` in row).length;
}

function createJudge(run: Run, evaluation: Evaluation | undefined) {
  const rule = evaluation?.best;
  let best = rule === undefined ? undefined : readBest(run.checkpoints);
  let since = rule === undefined ? 0 : evaluationsSince(run.folder, best, rule.metric);
  return {
    /** Says whether these numbers are the best so far. @throws ConfigError when the metric is not among them */
    isBest(values: Readonly<Record<string, number>>): boolean {
      if (rule === undefined) return false;
      const value = values[rule.metric];
      if (value === undefined) {
        const names = Object.keys(values).join(", ");
        throw new ConfigError(
          `train: the evaluation gives no "${rule.metric}" to choose the best by; it gives ${names}.`,
        );
      }
      return best === undefined || (rule.mode === "min" ? value < best.value : value > best.value);
    },
    accept(step: number, value: number): void {
      best = { step, metric: rule!.metric, value };
      since = 0;
      writeBest(run.checkpoints, best);
    },
    /** Counts an evaluation that was no better. @returns whether patience is at its end */
    isOver: () => rule?.patience !== undefined && ++since >= rule.patience,
  };
}

/**
 * Trains until `steps` updates are done, the signal fires or patience ends.
 *
 * @throws UserError when the loss is not finite or explodes, or the disk is full; what was saved before stays
 * @throws ConfigError when the folder is in use, holds another run, or does not fit `step`
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { folder, config, command, engine, seed, dataHash, parents = [], resume = false } = options;
  const { now = () => new Date() } = options;
  const run = await openRun({ folder, config, command, engine, seed, dataHash, parents, resume, now });
  try {
    return await loop(options, run);
  } finally {
    run.close();
  }
}

async function loop(options: TrainOptions, run: Run): Promise<TrainResult> {
  const { step: trainStep, batchAt, batchSize, steps, learningRate, evaluation, signal } = options;
  const { logEvery = 10, checkpointEvery = 500, keep = 3, prefetch = 2 } = options;
  const { log = silentLog, clock = systemClock } = options;
  const { accumulate } = trainStep;

  let step = 0;
  if (run.resumedFrom !== undefined) {
    await trainStep.load((await readCheckpoint(run.resumedFrom.path)).state);
    step = run.resumedFrom.step;
    log.info(`${run.folder}: goes on after step ${step}.`);
  }

  const guard = createGuard(trainStep.name, run);
  const judge = createJudge(run, evaluation);
  const batches = createPrefetch(batchAt, step * accumulate, steps * accumulate, prefetch);
  const flops = countFlops(trainStep.compiled.program) * accumulate;
  const speed = createSpeedometer({ clock, compiled: trainStep.compiled, samples: batchSize * accumulate, flops });
  let metrics: Record<string, number> = {};
  let saved = run.resumedFrom;
  let stopped: TrainResult["stopped"] = "finished";

  const save = async (state: TrainState): Promise<void> => {
    const { seed, engine, dataHash, parents = [], statistics = null, config } = options;
    const facts = { step, seed, code: run.code, engine, parents: [...parents], dataHash, statistics, metrics };
    const path = checkpointPath(run.checkpoints, step);
    await writeCheckpoint(path, { state, config, facts });
    saved = { step, path };
  };

  while (step < steps) {
    const rate = learningRate(step);
    const parts: Record<string, number>[] = [];
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
    const progress = speed.stop(steps - step);
    metrics = meanScalars(parts);
    options.onProgress?.({ ...progress, step, steps, loss: metrics.loss! });
    const last = step === steps;
    const aborted = signal?.aborted === true && !last;
    if (step % logEvery === 0 || last) {
      const { stepsPerSecond, samplesPerSecond, dataShare } = progress;
      run.log({ step, ...metrics, learningRate: rate, stepsPerSecond, samplesPerSecond, dataShare });
    }

    const evaluates = evaluation !== undefined && !aborted && (step % evaluation.every === 0 || last);
    const saves = step % checkpointEvery === 0 || last || aborted;
    if (!evaluates && !saves) continue;
    const state = await trainStep.state();
    let isOver = false;
    if (evaluates) {
      const values = await evaluation.measure(state, step);
      const named = Object.fromEntries(Object.entries(values).map(([name, value]) => [`eval/${name}`, value]));
      metrics = { ...metrics, ...named };
      run.log({ step, ...named });
      if (judge.isBest(values)) {
        await save(state);
        judge.accept(step, values[evaluation.best!.metric]!);
      } else isOver = judge.isOver();
    }
    if ((saves || isOver) && saved?.step !== step) await save(state);
    await pruneCheckpoints(run.checkpoints, keep);
    if (aborted || (isOver && !last)) {
      stopped = aborted ? "aborted" : "early";
      break;
    }
  }
  if (saved === undefined) throw new ConfigError(`train "${trainStep.name}": steps must be at least 1, got ${steps}.`);
  const best = evaluation?.best === undefined ? undefined : bestCheckpoint(run.checkpoints);
  return { step, stopped, checkpoint: saved, best, metrics };
}
