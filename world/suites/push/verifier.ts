import type { StateLog, Verdict } from "#core/contracts/world.ts";
import { lostBeyondM } from "../../tabletop/workspace.ts";
import type { TableTruth } from "../suite.ts";
import { shortfall } from "./condition.ts";
import type { PushGoal } from "./goal.ts";
import { distance, type Point } from "./plane.ts";

/** Pushed blocks move at most 4.3 cm per control step and slide on a little; a larger jump is not a push. */
const largestJumpM = 0.08;
/** A block that left the table's surface by more than this was lifted, sunk or tipped. */
const largestLiftM = 0.015;

/** Where a log keeps the tip's x and y and each block's x; a block's y and z follow. */
type Columns = {
  readonly tipX: number;
  readonly tipY: number;
  readonly blocks: readonly (readonly [id: string, column: number])[];
};

const knownColumns = new WeakMap<readonly string[], Columns>();

function columnsOf(names: readonly string[]): Columns {
  const known = knownColumns.get(names);
  if (known) return known;
  const blocks = names.flatMap((name, column) =>
    name.endsWith(" x") && name !== "tip x" ? [[name.slice(0, -2), column] as const] : [],
  );
  const columns: Columns = { tipX: names.indexOf("tip x"), tipY: names.indexOf("tip y"), blocks };
  knownColumns.set(names, columns);
  return columns;
}

type FullTruth = TableTruth & { readonly heights: Readonly<Record<string, number>> };

/** Reads a state log's row as positions on the table. */
export function readTruth(log: StateLog, row: number): FullTruth {
  const values = log.rows[row]!;
  const { tipX, tipY, blocks } = columnsOf(log.names);
  const centres: Record<string, Point> = {};
  const heights: Record<string, number> = {};
  for (const [id, column] of blocks) {
    centres[id] = [values[column]!, values[column + 1]!];
    heights[id] = values[column + 2]!;
  }
  return { tip: [values[tipX]!, values[tipY]!], blocks: centres, heights };
}

/** Whether the condition holds on the last `holdSteps` rows. */
export function isPushMet(log: StateLog, untyped: unknown): boolean {
  const goal = untyped as PushGoal;
  const last = log.rows.length - 1;
  if (last + 1 < goal.holdSteps) return false;
  const start = readTruth(log, 0);
  for (let row = last; row > last - goal.holdSteps; row--) {
    if (shortfall(goal, start, readTruth(log, row)) !== null) return false;
  }
  return true;
}

/**
 * Judges a push episode by its state log alone: the condition must hold on the last `holdSteps` rows, every block must
 * still lie in view, and no block may have jumped.
 */
export function verifyPush(log: StateLog, untyped: unknown): Verdict {
  const goal = untyped as PushGoal;
  if (log.rows.length === 0) return { success: false, reasons: ["the log is empty"] };
  const rows = log.rows.map((_, row) => readTruth(log, row));
  const start = rows[0]!;
  const reasons: string[] = [];
  for (let row = 1; row < rows.length; row++) {
    for (const [id, point] of Object.entries(rows[row]!.blocks)) {
      const jump = distance(point, rows[row - 1]!.blocks[id]!);
      if (!(jump <= largestJumpM)) reasons.push(`the ${id.replace("-", " ")} jumped ${jump.toFixed(2)} m in one step`);
    }
  }
  const last = rows.at(-1)!;
  for (const [id, [x, y]] of Object.entries(last.blocks)) {
    if (!(Math.max(Math.abs(x), Math.abs(y)) <= lostBeyondM)) reasons.push(`the ${id.replace("-", " ")} left the view`);
    if (!(Math.abs(last.heights[id]! - start.heights[id]!) <= largestLiftM)) {
      reasons.push(`the ${id.replace("-", " ")} does not lie flat on the table`);
    }
  }
  if (rows.length < goal.holdSteps) reasons.push("the episode is too short to hold the condition");
  for (const row of rows.slice(-goal.holdSteps)) {
    const missing = shortfall(goal, start, row);
    if (missing !== null) {
      reasons.push(missing);
      break;
    }
  }
  return { success: reasons.length === 0, reasons: [...new Set(reasons)] };
}
