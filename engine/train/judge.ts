import { join } from "node:path";
import { ConfigError } from "#core/errors.ts";
import { type Best, readBest, writeBest } from "../checkpoint/checkpoint-folder.ts";
import { readMetrics } from "../metrics/metrics-file.ts";
import type { Run } from "./run-folder.ts";
import type { Scalars } from "./scalars.ts";

export type BestRule = {
  readonly metric: string;
  readonly mode: "min" | "max";
  /** Stops after so many evaluations without a new best. */
  readonly patience?: number;
};

/** Evaluations since the best one, from the rows written so far. */
function evaluationsSince(run: Run, best: Best): number {
  const rows = readMetrics(join(run.folder, "metrics.jsonl"));
  return rows.filter((row) => row.step > best.step && `eval/${best.metric}` in row).length;
}

/** Chooses the best checkpoint and says when to stop; remembers both across sessions. */
export function createJudge(run: Run, { metric, mode, patience = Number.POSITIVE_INFINITY }: BestRule) {
  let best = readBest(run.checkpoints);
  let since = best === undefined ? 0 : evaluationsSince(run, best);
  return {
    /**
     * Takes the numbers of one evaluation; `save` makes the checkpoint that becomes the best.
     *
     * @returns whether patience has ended
     * @throws ConfigError when the metric is not among the numbers
     */
    async judge(step: number, values: Scalars, save: () => Promise<void>): Promise<boolean> {
      const value = values[metric];
      if (value === undefined) {
        const names = Object.keys(values).join(", ");
        throw new ConfigError(`train: the evaluation gives no "${metric}" to choose the best by; it gives ${names}.`);
      }
      if (best !== undefined && !(mode === "min" ? value < best.value : value > best.value)) return ++since >= patience;
      await save();
      best = { step, metric, value };
      since = 0;
      writeBest(run.checkpoints, best);
      return false;
    },
  };
}
