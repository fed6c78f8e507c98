/**
 * @file The scripted expert: walks the tip around the blocks to the far side of the one to move, pushes it along a
 * collision-free way to its goal, steers while pushing and goes round again when it falls off the line. It sees the true
 * poses. Speed, noise, aim and clearance vary from episode to episode so that data are not all alike.
 */
import { createRng, type Rng } from "#core/rng.ts";
import { blockRadiusM, borderM, reachM, stepLimitM } from "../../tabletop/workspace.ts";
import type { Expert, ExpertOptions, TableTruth } from "../suite.ts";
import { relativePlace } from "./condition.ts";
import type { PushGoal } from "./goal.ts";
import { directions, places } from "./grammar.ts";
import { along, angleBetween, distance, dot, type Point, subtract, turned, unit } from "./plane.ts";
import { type Disc, isClear, route, travel } from "./route.ts";
import { WayField } from "./way-field.ts";

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

const isInside = ([x, y]: Point, limit: number) => Math.max(Math.abs(x), Math.abs(y)) <= limit;

/** Makes the expert for one episode; `seed` decides its style and noise, nothing else does. */
export function createPushExpert(goal: PushGoal, seed: number | string, { mistakes = 0 }: ExpertOptions = {}): Expert {
  const rng = createRng(`expert/${seed}`);
  const style = drawStyle(rng.fork("style"));
  const noise = rng.fork("noise");
  let drift: Point = [0, 0];
  let step = 0;
  let start: TableTruth | undefined;
  let pushing = false;
  const field = new WayField();
  /** How far off the right direction the first pushes go, and how many they are. */
  const slips = rng.fork("mistakes");
  const slip = slips.next() < mistakes ? { turn: slips.pick(wrongTurns), steps: 4 + slips.integer(5) } : null;
  let pushed = 0;

  return {
    act(truth) {
      start ??= truth;
      drift = [drift[0] * 0.7 + 0.71 * noise.normal(), drift[1] * 0.7 + 0.71 * noise.normal()];
      if (step++ < style.idleSteps) return Float32Array.of(0, 0);
      if (goal.kind === "reach") return clipped(reach(truth));
      const right = planPush(goal, start, truth, style, field);
      const plan = slip && pushed < slip.steps ? veered(goal, truth, style, right, slip.turn) : right;
      const care = isInside(truth.blocks[goal.subject]!, edgeM) ? 1 : 0.6;
      pushing = isBehind(truth, plan, care * (pushing ? 1.6 * style.toleranceM : style.toleranceM));
      if (pushing) pushed += 1;
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
  function push({ tip, blocks }: TableTruth, { direction, lengthM }: PushPlan): Point {
    const offset = subtract(tip, blocks[goal.subject]!);
    const behind = dot(offset, direction);
    const off: Point = [offset[0] - behind * direction[0], offset[1] - behind * direction[1]];
    const offM = Math.sqrt(dot(off, off));
    const gap = Math.max(0, -behind - goal.tipRadiusM - blockRadiusM);
    const speed = Math.min(style.speedM, Math.max(0.008, lengthM + gap));
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
  /** Where the block's centre is to end. */
  readonly target: Point;
  /** Unit vector in which the block is to go now. */
  readonly direction: Point;
  /** How far it is to go that way. */
  readonly lengthM: number;
  /** Where the tip's centre has to be to push that way. */
  readonly contact: Point;
};

/** Directions to weigh, every 15 degrees; their cosines and sines are made by turning, exactly alike on every machine. */
const compass: readonly Point[] = buildCompass();

function buildCompass(): Point[] {
  const step: Point = [0.9659258262890683, 0.25881904510252074];
  const directions: Point[] = [[1, 0]];
  while (directions.length < 24) directions.push(turned(directions.at(-1)!, step));
  return directions;
}

/** Lengths of a straight push to weigh, metres; the distance to the target is weighed too. */
const pushLengthsM = [0.03, 0.06, 0.12] as const;
/** Farther out a push that is off the line may take a block where it cannot be brought back from, metres. */
const edgeM = 0.19;
/** A contact point that is not free costs as much as so many metres of way. */
const blockedCostM = 0.5;

/**
 * Chooses how to push next: the direction and length for which the tip's way to the contact point, the push, and the
 * block's way from there to its target cost least. The way to the contact point makes the choice stable: whoever stands
 * behind the block already goes on pushing.
 */
function planPush(
  goal: PushGoal,
  start: TableTruth,
  { tip, blocks }: TableTruth,
  style: Style,
  field: WayField,
): PushPlan {
  const block = blocks[goal.subject]!;
  const target = blockTarget(goal, start, blocks);
  const others = Object.entries(blocks).filter(([id]) => id !== goal.subject);
  const obstacles = others
    .filter(([id]) => !(id === goal.reference && goal.kind === "block-to-block"))
    .map(([, centre]): Disc => ({ centre, radius: 2 * blockRadiusM + 0.012 }));
  field.build(target, obstacles);
  const room = goal.tipRadiusM + blockRadiusM;
  const straight = distance(block, target);
  const toTarget = unit(subtract(target, block));
  const behindTip = unit(subtract(block, tip));
  let best: PushPlan | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const direction of [toTarget, behindTip, ...compass]) {
    const contact = along(block, direction, -(room + style.clearanceM));
    const toContact = wayAround(tip, contact, block, room) + blockedCostM * blockedShare(contact, others, room);
    if (toContact >= bestCost) continue;
    for (const lengthM of [...pushLengthsM.filter((length) => length < straight), straight]) {
      const end = along(block, direction, lengthM);
      const turn =
        lengthM === straight && direction === toTarget ? 0 : room * angleBetween(direction, field.downhill(end));
      const cost = toContact + field.along(block, direction, lengthM) + turn + field.value(end);
      if (cost >= bestCost) continue;
      bestCost = cost;
      best = { target, direction, lengthM, contact };
    }
  }
  return best!;
}

/** Cosine and sine of 40 and 55 degrees to either side: a push that goes wrong, but not off the table at once. */
const wrongTurns: readonly Point[] = [
  [0.766, 0.643],
  [0.766, -0.643],
  [0.574, 0.819],
  [0.574, -0.819],
];

/** The same push in another direction. */
function veered(
  { subject, tipRadiusM }: PushGoal,
  { blocks }: TableTruth,
  style: Style,
  plan: PushPlan,
  turn: Point,
): PushPlan {
  const direction = turned(plan.direction, turn);
  const contact = along(blocks[subject]!, direction, -(tipRadiusM + blockRadiusM + style.clearanceM));
  return { ...plan, direction, contact };
}

/** Length of the tip's way to a contact point around the block, other things aside. */
function wayAround(tip: Point, contact: Point, block: Point, room: number): number {
  const straight = distance(tip, contact);
  if (isClear(tip, contact, [{ centre: block, radius: 0.97 * room }])) return straight;
  const arc = angleBetween(unit(subtract(tip, block)), unit(subtract(contact, block)));
  return Math.max(0, distance(tip, block) - room) + room * arc + (distance(contact, block) - room);
}

/** How much of a contact point is taken by other blocks or lies out of reach, in [0, 1]. */
function blockedShare(contact: Point, others: readonly (readonly [string, Point])[], room: number): number {
  const outside = Math.max(Math.abs(contact[0]), Math.abs(contact[1])) - reachM;
  let deepest = outside > 0 ? 1 : 0;
  for (const [, centre] of others) deepest = Math.max(deepest, 2 * (1 - distance(contact, centre) / room));
  return Math.min(1, deepest);
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
