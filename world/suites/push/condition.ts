import { blockRadiusM, borderM } from "../../tabletop/workspace.ts";
import type { TableTruth } from "../suite.ts";
import type { PushGoal } from "./goal.ts";
import { directions, places } from "./grammar.ts";
import { distance, type Point } from "./plane.ts";

/** What is still missing, or null when the condition holds. */
type Shortfall = string | null;

const millimetres = (lengthM: number) => `${Math.round(1000 * lengthM)} mm`;
const words = (id: string) => id.replace("-", " ");

/**
 * Judges one instant against the goal.
 *
 * @param start where everything was when the episode began
 * @returns null when the condition holds, else one sentence
 */
export function shortfall(goal: PushGoal, start: TableTruth, now: TableTruth): Shortfall {
  const subject = now.blocks[goal.subject];
  const reference = goal.reference === undefined ? undefined : now.blocks[goal.reference];
  if (!subject || (goal.reference !== undefined && !reference))
    return "the goal names a block that is not on the table";
  const { thresholds } = goal;
  switch (goal.kind) {
    case "reach": {
      const gap = distance(now.tip, subject) - goal.tipRadiusM - blockRadiusM;
      return gap <= thresholds.reachGapM ? null : `the tip is ${millimetres(gap)} from the ${words(goal.subject)}`;
    }
    case "block-to-block": {
      const gap = distance(subject, reference!) - 2 * blockRadiusM;
      if (gap <= thresholds.touchGapM) return null;
      return `the ${words(goal.subject)} is ${millimetres(gap)} from the ${words(goal.reference!)}`;
    }
    case "block-to-place":
      return placeShortfall(goal, subject);
    case "block-to-relative-place": {
      const off = distance(subject, relativePlace(goal, reference!));
      return off <= thresholds.relativeM ? null : `the ${words(goal.subject)} is ${millimetres(off)} from its place`;
    }
    case "relative-move":
      return moveShortfall(goal, start.blocks[goal.subject]!, subject);
    case "separate": {
      const apart = distance(subject, reference!);
      return apart >= thresholds.separateM ? null : `the blocks are only ${millimetres(apart)} apart`;
    }
  }
}

/** The point that `left of` and its like mean. */
export function relativePlace(goal: PushGoal, reference: Point): Point {
  const [x, y] = directions[goal.direction!];
  return [reference[0] + x * goal.thresholds.relativeOffsetM, reference[1] + y * goal.thresholds.relativeOffsetM];
}

function placeShortfall(goal: PushGoal, [x, y]: Point): Shortfall {
  const [sideX, sideY] = places[goal.place!];
  const { centreM, cornerM, edgeM } = goal.thresholds;
  if (sideX === 0 && sideY === 0) {
    const off = distance([x, y], [0, 0]);
    return off <= centreM ? null : `the ${words(goal.subject)} is ${millimetres(off)} from the center`;
  }
  const allowed = sideX !== 0 && sideY !== 0 ? cornerM : edgeM;
  const off = Math.max(sideX === 0 ? 0 : borderM - sideX * x, sideY === 0 ? 0 : borderM - sideY * y);
  return off <= allowed ? null : `the ${words(goal.subject)} is ${millimetres(off)} from the ${goal.place}`;
}

function moveShortfall(goal: PushGoal, from: Point, to: Point): Shortfall {
  const [x, y] = directions[goal.direction!];
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const along = dx * x + dy * y;
  const across = Math.abs(dx * y - dy * x);
  if (along < goal.thresholds.moveM)
    return `the ${words(goal.subject)} moved only ${millimetres(along)} ${goal.direction}`;
  if (across > goal.thresholds.moveSideM) return `the ${words(goal.subject)} moved ${millimetres(across)} sideways`;
  return null;
}
