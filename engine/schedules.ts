/** @file Learning rates as functions of the step, counted from 0. */
import { ConfigError } from "#core/errors.ts";

export type Schedule = (step: number) => number;

export type WarmupCosine = {
  /** The largest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  readonly warmupSteps: number;
  /** All steps, warm-up included; afterwards the last value stays. */
  readonly steps: number;
  /** Last learning rate as a share of the peak; by default 0.1. */
  readonly final?: number;
};

/** Rises linearly from `peak / warmupSteps`, then falls along half a cosine (Loshchilov & Hutter 2017, eq. 5). */
export function warmupCosine({ peak, warmupSteps, steps, final = 0.1 }: WarmupCosine): Schedule {
  if (!(warmupSteps >= 0 && steps > warmupSteps)) {
    throw new ConfigError(`schedule: must be longer than its warm-up of ${warmupSteps} steps, got ${steps} steps.`);
  }
  return (step) => {
    if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / (steps - warmupSteps));
    return peak * (final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * progress)));
  };
}

export const constant =
  (learningRate: number): Schedule =>
  () =>
    learningRate;
