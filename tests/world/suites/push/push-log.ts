import type { StateLog } from "#core/contracts/world.ts";
import { parsePushConfig } from "#world/suites/push/config.ts";
import type { PushGoal } from "#world/suites/push/goal.ts";
import type { Point } from "#world/suites/push/plane.ts";

/** @file State logs of the push suite, written by hand. */

type Blocks = Readonly<Record<string, Point>>;
export type Row = { readonly tip: Point; readonly blocks: Blocks; readonly heights?: Readonly<Record<string, number>> };

const parts = ["x", "y", "z", "qw", "qx", "qy", "qz"];

export function pushLog(rows: readonly Row[]): StateLog {
  const ids = Object.keys(rows[0]?.blocks ?? {});
  return {
    names: ["tip x", "tip y", ...ids.flatMap((id) => parts.map((part) => `${id} ${part}`))],
    rows: rows.map(({ tip, blocks, heights = {} }) =>
      Float64Array.from([...tip, ...ids.flatMap((id) => [...blocks[id]!, heights[id] ?? 0.02, 1, 0, 0, 0])]),
    ),
  };
}

export const pushGoal = (goal: Partial<PushGoal>): PushGoal => ({
  kind: "block-to-block",
  subject: "red-cylinder",
  tipRadiusM: 0.02,
  holdSteps: 2,
  maxSteps: 60,
  thresholds: parsePushConfig({}).thresholds,
  ...goal,
});
