import type { Clock } from "#core/clock.ts";

export type Speed = {
  readonly stepsPerSecond: number;
  readonly samplesPerSecond: number;
  /** Share of the steps' time in which the executor did not compute: it waited for data. */
  readonly dataShare: number;
  /** 10¹² floating point operations of products and convolutions per second. */
  readonly teraflops: number;
  readonly secondsLeft: number;
};

export type SpeedometerOptions = {
  readonly clock: Clock;
  readonly compiled: { readonly computeMs: number };
  /** Per step. */
  readonly samples: number;
  readonly flops: number;
};

/** Steps over which the speed is averaged. */
const memory = 20;

/** Measures steps alone: what passes between `stop` and `start` (evaluation, checkpoints) does not count. */
export function createSpeedometer({ clock, compiled, samples, flops }: SpeedometerOptions) {
  let startNs = 0n;
  let startMs = 0;
  let steps = 0;
  let stepMs = 0;
  let computeMs = 0;
  return {
    start(): void {
      startNs = clock.nowNs();
      startMs = compiled.computeMs;
    },
    /** @param left steps still to do */
    stop(left: number): Speed {
      const share = 1 / Math.min(++steps, memory);
      stepMs += (Number(clock.nowNs() - startNs) / 1e6 - stepMs) * share;
      computeMs += (compiled.computeMs - startMs - computeMs) * share;
      const stepsPerSecond = 1000 / Math.max(stepMs, 1e-6);
      return {
        stepsPerSecond,
        samplesPerSecond: samples * stepsPerSecond,
        dataShare: Math.max(0, 1 - computeMs / Math.max(stepMs, 1e-6)),
        teraflops: (flops * stepsPerSecond) / 1e12,
        secondsLeft: left / stepsPerSecond,
      };
    },
  };
}
