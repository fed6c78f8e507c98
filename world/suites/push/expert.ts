/**
 * @file The scripted expert: walks the tip around the blocks to the far side of the one to move, pushes it along a
 * collision-free way to its goal, steers while pushing and goes round again when it falls off the line. It sees the true
 * poses. Speed, noise, aim and clearance vary from episode to episode so that data are not all alike.
 */
import { createRng, type Rng } from "#core/rng.ts";
import { blockRadiusM, borderM, reachM, stepLimitM } from "../../tabletop/workspace.ts";
import { relativePlace } from "./condition.ts";
import { distance, type Point, type PushGoal, type TableTruth } from "./goal.ts";
import { directions, places } from "./grammar.ts";
import { type Disc, isClear, route, travel } from "./route.ts";

export interface Expert {
  /** Planar delta f32[2] for the next control step, metres. */
  act(truth: TableTruth): Float32Array;
}

/** Natural variation of one episode. */
type Style = {
  readonly speedM: number;
  readonly noiseM: number;
  readonly clearanceM: number;
  /** How far off the line the tip may be before the expert goes round again. */
  readonly toleranceM: number;
  readonly idleSteps: number;
};

const drawStyle = (rng: Rng): Style => ({
  speedM: stepLimitM * rng.uniform(0.7, 1),
  noiseM: rng.uniform(0.0005, 0.0025),
  clearanceM: rng.uniform(0.004, 0.014),
  toleranceM: rng.uniform(0.013, 0.019),
  idleSteps: rng.integer(3),
});

/** Turns of the wanted push direction to try when its contact point is blocked: cosine and sine of 0, ±25, ±50, ±75, ±100 degrees. */
const detours: readonly Point[] = [
  [1, 0],
  [0.9063078, 0.4226183],
  [0.9063078, -0.4226183],
  [0.6427876, 0.7660444],
  [0.6427876, -0.7660444],
  [0.258819, 0.9659258],
  [0.258819, -0.9659258],
  [-0.1736482, 0.9848078],
  [-0.1736482, -0.9848078],
];

const subtract = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1]];
const along = (from: Point, direction: Point, length: number): Point => [
  from[0] + direction[0] * length,
  from[1] + direction[1] * length,
];
const dot = (a: Point, b: Point) => a[0] * b[0] + a[1] * b[1];
function unit(vector: Point): Point {
  const length = Math.sqrt(dot(vector, vector));
  return length < 1e-9 ? [1, 0] : [vector[0] / length, vector[1] / length];
}
const turned = ([x, y]: Point, [cosine, sine]: Point): Point => [x * cosine - y * sine, x * sine + y * cosine];
const isInside = ([x, y]: Point, limit: number) => Math.max(Math.abs(x), Math.abs(y)) <= limit;

/** Makes the expert for one episode; `seed` decides its style and noise, nothing else does. */
export function createPushExpert(goal: PushGoal, seed: number | string): Expert {
  const rng = createRng(`expert/${seed}`);
  const style = drawStyle(rng.fork("style"));
  const noise = rng.fork("noise");
  let drift: Point = [0, 0];
  let step = 0;
  let start: TableTruth | undefined;
  let plan: PushPlan | undefined;
  let pushing = false;

  return {
    act(truth) {
      start ??= truth;
      drift = [drift[0] * 0.7 + 0.71 * noise.normal(), drift[1] * 0.7 + 0.71 * noise.normal()];
      if (step++ < style.idleSteps) return Float32Array.of(0, 0);
      if (goal.kind === "reach") return clipped(reach(truth));
      plan = planPush(goal, start, truth, style, plan);
      pushing = isBehind(truth, plan, pushing ? 1.6 * style.toleranceM : style.toleranceM);
      return clipped(pushing ? push(truth, plan) : approach(truth, plan));
    },
  };

  function reach({ tip, blocks }: TableTruth): Point {
    const block = blocks[goal.subject]!;
    const stop = along(block, unit(subtract(tip, block)), goal.tipRadiusM + blockRadiusM + 0.004);
    return walk(tip, stop, tipObstacles(goal, blocks, 0.002));
  }

  function approach({ tip, blocks }: TableTruth, { contact }: PushPlan): Point {
    return walk(tip, contact, tipObstacles(goal, blocks, Math.min(style.clearanceM, 0.008)));
  }

  function walk(tip: Point, to: Point, obstacles: readonly Disc[]): Point {
    return subtract(travel(tip, route(tip, to, obstacles, reachM) ?? [to], style.speedM), tip);
  }

  /**
   * Pushes along the line. A disc pushed by a disc is an inverted pendulum: an offset grows by speed / (sum of radii) per
   * step, so the sideways gain must be larger than that; but a flat side sticks to the tip and goes where the tip goes, so
   * the sideways part must stay smaller than the push.
   */
  function push({ tip, blocks }: TableTruth, { direction, remainingM }: PushPlan): Point {
    const offset = subtract(tip, blocks[goal.subject]!);
    const behind = dot(offset, direction);
    const off: Point = [offset[0] - behind * direction[0], offset[1] - behind * direction[1]];
    const offM = Math.sqrt(dot(off, off));
    const gap = Math.max(0, -behind - goal.tipRadiusM - blockRadiusM);
    const speed = Math.min(style.speedM, Math.max(0.008, remainingM + gap));
    const steer = offM === 0 ? 0 : Math.min(0.7, (0.6 * speed) / offM);
    return [direction[0] * speed - steer * off[0], direction[1] * speed - steer * off[1]];
  }

  function clipped([x, y]: Point): Float32Array {
    const wanted: Point = [x + style.noiseM * drift[0], y + style.noiseM * drift[1]];
    const largest = Math.max(Math.abs(wanted[0]), Math.abs(wanted[1]), stepLimitM) / stepLimitM;
    return Float32Array.of(wanted[0] / largest, wanted[1] / largest);
  }
}

type PushPlan = {
  /** Where the block goes next, and where it is to end. */
  readonly waypoint: Point;
  readonly target: Point;
  /** Unit vector in which the block is to go now. */
  readonly direction: Point;
  /** Where the tip's centre has to be to push that way. */
  readonly contact: Point;
  /** Way left until the block is at its waypoint. */
  readonly remainingM: number;
};

/** Plans the block's way; keeps the last plan's waypoint while it is of use, so that the expert does not dither. */
function planPush(
  goal: PushGoal,
  start: TableTruth,
  { blocks }: TableTruth,
  style: Style,
  last: PushPlan | undefined,
): PushPlan {
  const block = blocks[goal.subject]!;
  const target = blockTarget(goal, start, blocks);
  const others = Object.entries(blocks).filter(([id]) => id !== goal.subject);
  const inTheWay = (marginM: number): Disc[] =>
    others
      .filter(([id]) => !(id === goal.reference && goal.kind === "block-to-block"))
      .map(([, centre]) => ({ centre, radius: 2 * blockRadiusM + marginM }));
  const isKept =
    last !== undefined &&
    distance(last.target, last.waypoint) > 0 &&
    distance(last.target, target) < 0.03 &&
    distance(block, last.waypoint) > 0.015 &&
    isClear(block, last.waypoint, inTheWay(-0.008));
  const waypoint = isKept ? last.waypoint : (route(block, target, inTheWay(0.008), borderM)?.[0] ?? target);
  const wanted = unit(subtract(waypoint, block));
  const room = goal.tipRadiusM + blockRadiusM;
  const contactFor = (direction: Point) => along(block, direction, -(room + style.clearanceM));
  const isUsable = (direction: Point) => {
    const contact = contactFor(direction);
    return isInside(contact, reachM) && others.every(([, centre]) => distance(contact, centre) >= room);
  };
  const direction = detours.map((turn) => turned(wanted, turn)).find(isUsable) ?? wanted;
  return { waypoint, target, direction, contact: contactFor(direction), remainingM: distance(block, waypoint) };
}

/** True when the tip is behind the block on the push line, with nothing between them. */
function isBehind({ tip, blocks }: TableTruth, plan: PushPlan, toleranceM: number): boolean {
  const fromContact = subtract(tip, plan.contact);
  const ahead = dot(fromContact, plan.direction);
  const off = Math.abs(fromContact[0] * plan.direction[1] - fromContact[1] * plan.direction[0]);
  const others = Object.values(blocks).map((centre) => ({ centre, radius: blockRadiusM }));
  return off <= toleranceM && ahead > -0.03 && ahead < 0.03 && isClear(tip, plan.contact, others);
}

/** Where the subject's centre is to go, a little past the threshold. */
function blockTarget(goal: PushGoal, start: TableTruth, blocks: TableTruth["blocks"]): Point {
  const { thresholds } = goal;
  const block = blocks[goal.subject]!;
  const reference = goal.reference === undefined ? undefined : blocks[goal.reference];
  switch (goal.kind) {
    case "reach":
      return block;
    case "block-to-block":
      return along(reference!, unit(subtract(block, reference!)), 2 * blockRadiusM + 0.3 * thresholds.touchGapM);
    case "block-to-place": {
      const [x, y] = places[goal.place!];
      if (x === 0 && y === 0) return [0, 0];
      const inset = borderM - 0.6 * (x !== 0 && y !== 0 ? thresholds.cornerM : thresholds.edgeM);
      return [
        x === 0 ? block[0] : x * Math.max(inset, x * block[0]),
        y === 0 ? block[1] : y * Math.max(inset, y * block[1]),
      ];
    }
    case "block-to-relative-place":
      return relativePlace(goal, reference!);
    case "relative-move": {
      const from = start.blocks[goal.subject]!;
      return along(from, directions[goal.direction!], thresholds.moveM + 0.025);
    }
    case "separate":
      return farPoint(block, reference!, thresholds.separateM + 0.02, goal, blocks);
  }
}

/** The nearest point that is far enough from the reference, inside the reach and clear of other blocks. */
function farPoint(block: Point, reference: Point, apartM: number, goal: PushGoal, blocks: TableTruth["blocks"]): Point {
  const away = unit(subtract(block, reference));
  const others = Object.entries(blocks).filter(([id]) => id !== goal.subject && id !== goal.reference);
  const candidates = detours.map((turn) => along(reference, turned(away, turn), apartM));
  return (
    candidates.find(
      (point) => isInside(point, borderM) && others.every(([, centre]) => distance(point, centre) > 2 * blockRadiusM),
    ) ?? candidates[0]!
  );
}

/** Discs that the tip's centre stays out of while it goes to its contact point. */
function tipObstacles(goal: PushGoal, blocks: TableTruth["blocks"], clearanceM: number): Disc[] {
  return Object.values(blocks).map((centre) => ({ centre, radius: goal.tipRadiusM + blockRadiusM + clearanceM }));
}
