import { LatencyHistogram, type LatencySummary } from "./latency-histogram.ts";

type Counts = Readonly<Record<string, number>>;

const latenessBoundsMs = [1, 2, 5, 10, 20, 50, 100];

export type LoopSummary = {
  readonly seconds: number;
  readonly ticks: number;
  /** Ticks that were left out because the one before came too late. */
  readonly ticksMissed: number;
  /** How late ticks came; `table[i]` counts those below `boundsMs[i]`, the last entry the rest. */
  readonly tickLateness: LatencySummary & { readonly boundsMs: readonly number[]; readonly table: readonly number[] };
  /** Age of observations when the policy was asked. */
  readonly observationAge: LatencySummary;
  readonly policyLatency: LatencySummary;
  readonly policy: {
    readonly used: number;
    readonly late: number;
    readonly outdated: number;
    readonly refused: Counts;
    readonly failed: Counts;
    readonly blind: Counts;
    readonly actionsClipped: number;
  };
  readonly commands: {
    readonly sent: number;
    /** Sent, but changed by the safety limits. */
    readonly clamped: number;
    /** Asked for, but held back by the robot. */
    readonly held: number;
    readonly holds: Counts;
  };
};

const tally = (counts: Record<string, number>, reason: string) => {
  // A policy that invents a new reason each time must not fill the memory.
  const key = reason in counts || Object.keys(counts).length < 50 ? reason : "other";
  counts[key] = (counts[key] ?? 0) + 1;
};

/** Everything that one run of the loop counts. */
export class LoopStatistics {
  readonly tickLateness = new LatencyHistogram();
  readonly observationAge = new LatencyHistogram();
  readonly policyLatency = new LatencyHistogram();
  ticksMissed = 0;
  used = 0;
  late = 0;
  outdated = 0;
  actionsClipped = 0;
  sent = 0;
  clamped = 0;
  held = 0;
  private readonly refused: Record<string, number> = {};
  private readonly failed: Record<string, number> = {};
  private readonly blind: Record<string, number> = {};
  private readonly holds: Record<string, number> = {};

  countRefused(reason: string): void {
    // Numbers differ from answer to answer; the kind of trouble does not.
    tally(this.refused, reason.replace(/-?\d+(\.\d+)?/g, "#"));
  }

  countFailed(error: unknown): void {
    tally(this.failed, error instanceof Error ? error.message : String(error));
  }

  countBlind(reason: string): void {
    tally(this.blind, reason.replace(/-?\d+(\.\d+)?/g, "#"));
  }

  countHold(reason: string): void {
    tally(this.holds, reason);
  }

  summary(seconds: number): LoopSummary {
    return {
      seconds,
      ticks: this.tickLateness.count,
      ticksMissed: this.ticksMissed,
      tickLateness: {
        ...this.tickLateness.summary(),
        boundsMs: latenessBoundsMs,
        table: this.tickLateness.table(latenessBoundsMs),
      },
      observationAge: this.observationAge.summary(),
      policyLatency: this.policyLatency.summary(),
      policy: {
        used: this.used,
        late: this.late,
        outdated: this.outdated,
        refused: { ...this.refused },
        failed: { ...this.failed },
        blind: { ...this.blind },
        actionsClipped: this.actionsClipped,
      },
      commands: { sent: this.sent, clamped: this.clamped, held: this.held, holds: { ...this.holds } },
    };
  }
}
