import type { StateLog } from "#core/contracts/world.ts";
import type { Vector3 } from "#core/geometry/quaternion.ts";
import type { PickGoal } from "#world/suites/pick-place/goal.ts";

/** @file State logs of the pick-place suite, written by hand. */

export type Row = {
  readonly tip: Vector3;
  readonly opening: number;
  readonly things: Readonly<Record<string, Vector3>>;
  readonly drawerM?: number;
};

const tool = ["tip x", "tip y", "tip z", "tip qx", "tip qy", "tip qz", "tip qw", "opening"];
const parts = ["x", "y", "z", "qw", "qx", "qy", "qz"];

export function pickLog(rows: readonly Row[]): StateLog {
  const first = rows[0];
  const ids = Object.keys(first?.things ?? {});
  const drawer = first?.drawerM === undefined ? [] : ["drawer"];
  return {
    names: [...tool, ...ids.flatMap((id) => parts.map((part) => `${id} ${part}`)), ...drawer],
    rows: rows.map(({ tip, opening, things, drawerM }) =>
      Float64Array.from([
        ...tip,
        ...[1, 0, 0, 0],
        opening,
        ...ids.flatMap((id) => [...things[id]!, 1, 0, 0, 0]),
        ...(drawerM === undefined ? [] : [drawerM]),
      ]),
    ),
  };
}

export const pickGoal = (goal: Partial<PickGoal>): PickGoal => ({
  kind: "stack",
  subject: "green-cube",
  target: "yellow-cube",
  holdSteps: 2,
  maxSteps: 60,
  ...goal,
});
