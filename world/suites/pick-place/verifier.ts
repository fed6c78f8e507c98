import type { StateLog, Verdict } from "#core/contracts/world.ts";
import type { Vector3 } from "#core/geometry/quaternion.ts";
import { pickShortfall } from "./condition.ts";
import { type PickGoal, readPickTruth } from "./goal.ts";
import { findThing } from "./things.ts";

/** Held things move at most 7 cm per control step and fall a little; a larger jump is neither. */
const largestJumpM = 0.15;
/** What is farther out than this, or below the table, is lost. */
const lostBeyondM = 0.34;

const distance = (a: Vector3, b: Vector3) => Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);

/**
 * Judges a pick-place episode by its state log alone: the condition must hold on the last `holdSteps` rows with the thing
 * at rest and let go, everything must still be on the table, and nothing may have jumped.
 */
export function verifyPick(log: StateLog, untyped: unknown): Verdict {
  const goal = untyped as PickGoal;
  if (log.rows.length === 0) return { success: false, reasons: ["the log is empty"] };
  const rows = log.rows.map((_, row) => readPickTruth(log, row));
  const reasons: string[] = [];
  for (let row = 1; row < rows.length; row++) {
    for (const [id, { position }] of Object.entries(rows[row]!.things)) {
      const jump = distance(position, rows[row - 1]!.things[id]!.position);
      if (!(jump <= largestJumpM)) reasons.push(`the ${findThing(id).noun} jumped ${jump.toFixed(2)} m in one step`);
    }
  }
  for (const [id, { position }] of Object.entries(rows.at(-1)!.things)) {
    const [x, y, z] = position;
    const isThere = Math.max(Math.abs(x), Math.abs(y)) <= lostBeyondM && z > 0;
    if (!isThere) reasons.push(`the ${findThing(id).noun} left the table`);
  }
  if (rows.length <= goal.holdSteps) reasons.push("the episode is too short to hold the condition");
  for (let row = Math.max(1, rows.length - goal.holdSteps); row < rows.length; row++) {
    const missing = pickShortfall(goal, rows[row - 1]!, rows[row]!);
    if (missing === null) continue;
    reasons.push(missing);
    break;
  }
  return { success: reasons.length === 0, reasons: [...new Set(reasons)] };
}

/** Whether the condition holds on the last `holdSteps` rows. */
export function isPickMet(log: StateLog, untyped: unknown): boolean {
  const goal = untyped as PickGoal;
  const last = log.rows.length - 1;
  if (last < goal.holdSteps) return false;
  for (let row = last; row > last - goal.holdSteps; row--) {
    if (pickShortfall(goal, readPickTruth(log, row - 1), readPickTruth(log, row)) !== null) return false;
  }
  return true;
}
