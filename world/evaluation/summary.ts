import { type Proportion, wilson } from "#core/statistics/proportion.ts";
import type { RolloutResult } from "./rollout-result.ts";

export type RolloutSummary = {
  /** Over the rollouts whose physics held. */
  readonly success: Proportion;
  readonly perTask: Readonly<Record<string, Proportion>>;
  /** Left out of everything above. */
  readonly unstable: number;
  /** How often each failure reason was given, most frequent first; lengths are left out of the sentences. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
};

/** Success rates with 95 % intervals, overall and per kind of task, and why the others failed. */
export function summariseRollouts(results: readonly RolloutResult[]): RolloutSummary {
  const held = results.filter(({ unstable }) => !unstable);
  const rate = (some: readonly RolloutResult[]) => wilson(some.filter(({ success }) => success).length, some.length);
  const tasks = [...new Set(held.map(({ task }) => task))].sort();
  const counts = new Map<string, number>();
  for (const { reasons } of held) {
    for (const reason of reasons) {
      const kind = reason.replace(/-?\d+(\.\d+)? m?m\b/, "some way");
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }
  return {
    success: rate(held),
    perTask: Object.fromEntries(tasks.map((task) => [task, rate(held.filter((result) => result.task === task))])),
    unstable: results.length - held.length,
    reasons: [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count),
  };
}
