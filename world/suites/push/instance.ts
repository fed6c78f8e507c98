import type { TaskInstance } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import { createRng, type Rng } from "#core/rng.ts";
import type { Pusher, Setting } from "../../embodiments/embodiment.ts";
import { contentHash } from "../../instance-hash.ts";
import { type BlockKind, blockKinds, blockMaterials } from "../../tabletop/blocks.ts";
import type { TabletopInitial } from "../../tabletop/initial.ts";
import { drawCamera, drawLooks, type Viewpoint } from "../../tabletop/looks.ts";
import { drawDynamics, drawNudges } from "../../tabletop/variation.ts";
import { blockHalfHeightM, blockRadiusM, borderM } from "../../tabletop/workspace.ts";
import { pickWeighted, turnAboutZ } from "../chance.ts";
import type { Split } from "../split.ts";
import { relativePlace, shortfall } from "./condition.ts";
import { type PushConfig, taskKinds } from "./config.ts";
import type { PushGoal } from "./goal.ts";
import { directions, phrase } from "./grammar.ts";
import { along, distance, type Point } from "./plane.ts";
import { splitContent } from "./splits.ts";

/** Blocks start inside this half-width, so that the far side of each can be reached. */
const blockSpreadM = 0.18;
const tipSpreadM = 0.25;
/** Least distance between block centres at the start: room for the tip between them. */
const apartM = 0.115;
/** Distance between the two blocks of a `separate` task at the start. */
const togetherM = [0.078, 0.09] as const;
/** A drawn start is dropped when the goal holds already, even with this much slack on positions. */
const attempts = 2000;

/** Steep for robots; for people lower, from a little to the side. */
const viewpoints: Readonly<Record<Setting, Viewpoint>> = {
  lab: { position: [0, -0.4, 0.9], target: [0, -0.015, 0], fovyDeg: 40, jitterM: 0.03 },
  home: { position: [0.05, -0.58, 0.86], target: [0.01, -0.02, 0], fovyDeg: 40, jitterM: 0.055 },
};

type Layout = { readonly blocks: Readonly<Record<string, Point>>; readonly tip: Point };

/**
 * Draws one task of a split. Equal arguments give equal instances; the hash covers what decides the episode (not split
 * and seed), so equal hashes mean equal episodes.
 *
 * @throws ConfigError when the configuration has nothing for this split
 */
export function generatePushInstance(config: PushConfig, embodiment: Pusher, split: Split, seed: number): TaskInstance {
  const rng = createRng(`push/${embodiment.id}/${split}/${seed}`);
  const offered = taskKinds.flatMap((kind) => {
    const content = splitContent(kind, split, config);
    const usable = config.kinds[kind] > 0 && content.combinations.length > 0 && content.phrasings.length > 0;
    return usable ? [{ kind, weight: config.kinds[kind], ...content }] : [];
  });
  if (offered.length === 0) {
    throw new ConfigError(`suite: split "${split}" must hold some task, got none. Turn on holdOut or choose "seen".`);
  }
  const draws = rng.fork("task");
  const choice = pickWeighted(offered, draws);
  const { heldOut: _, ...combination } = draws.pick(choice.combinations);
  const how = draws.pick(choice.phrasings);
  const blocks = blockKinds.slice(0, config.blocks);
  const goal: PushGoal = {
    kind: choice.kind,
    subject: combination.subject.id,
    ...(combination.reference ? { reference: combination.reference.id } : {}),
    ...(combination.place ? { place: combination.place } : {}),
    ...(combination.direction ? { direction: combination.direction } : {}),
    tipRadiusM: embodiment.tipRadiusM,
    holdSteps: config.holdSteps,
    maxSteps: config.maxSteps,
    thresholds: config.thresholds,
  };
  const initial = drawInitial(config, embodiment, goal, blocks, rng);
  const content = {
    suite: "push",
    embodiment: embodiment.id,
    task: choice.kind,
    instruction: phrase(choice.kind, combination, how),
    goal,
    initial,
  };
  return { hash: contentHash(content), ...content, split, seed };
}

function drawInitial(
  config: PushConfig,
  embodiment: Pusher,
  goal: PushGoal,
  blocks: readonly BlockKind[],
  rng: Rng,
): TabletopInitial {
  const layout = drawLayout(goal, blocks, rng.fork("layout"));
  const turns = rng.fork("turns");
  const body = rng.fork("body");
  return {
    variant: config.looks === "none" ? embodiment.variants[0]! : body.pick(embodiment.variants),
    objects: blocks.map(({ id }) => {
      const [x, y] = layout.blocks[id]!;
      return { id, position: [x, y, blockHalfHeightM], quaternion: turnAboutZ(turns) };
    }),
    joints: {},
    tip: layout.tip,
    camera: drawCamera(embodiment.setting, viewpoints[embodiment.setting], config.camera, rng.fork("camera")),
    looks: drawLooks(embodiment, blockMaterials(blocks), config.looks, rng.fork("looks")),
    dynamics: drawDynamics(config.dynamics, rng.fork("dynamics")),
    nudges: drawNudges(
      config.nudges,
      blocks.map(({ id }) => id),
      config.maxSteps,
      rng.fork("nudges"),
    ),
  };
}

function drawLayout(goal: PushGoal, blocks: readonly BlockKind[], rng: Rng): Layout {
  const anywhere = (spread: number): Point => [rng.uniform(-spread, spread), rng.uniform(-spread, spread)];
  // Eight blocks need more room than four.
  const spread = blocks.length > 4 ? blockSpreadM + 0.03 : blockSpreadM;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const placed: Record<string, Point> = {};
    const isFree = (point: Point) => Object.values(placed).every((other) => distance(point, other) >= apartM);
    for (const { id } of blocks) {
      if (goal.kind === "separate" && id === goal.subject) continue;
      for (let tries = 0; tries < 50 && !placed[id]; tries++) {
        const point = anywhere(spread);
        if (isFree(point)) placed[id] = point;
      }
    }
    if (goal.kind === "separate" && placed[goal.reference!]) {
      const point = beside(placed[goal.reference!]!, rng);
      const { [goal.reference!]: _, ...others } = placed;
      const fits = Object.values(others).every((other) => distance(point, other) >= apartM);
      if (fits && Math.max(Math.abs(point[0]), Math.abs(point[1])) <= spread) placed[goal.subject] = point;
    }
    if (Object.keys(placed).length < blocks.length) continue;
    const tip = anywhere(tipSpreadM);
    const room = blockRadiusM + goal.tipRadiusM + 0.015;
    if (Object.values(placed).some((point) => distance(tip, point) < room)) continue;
    if (isTaskLeft(goal, { blocks: placed, tip }) && hasRoom(goal, placed)) return { blocks: placed, tip };
  }
  throw new ConfigError(
    `suite: "${goal.kind}" must leave room for ${blocks.length} blocks, found none. Use fewer blocks.`,
  );
}

function beside([x, y]: Point, rng: Rng): Point {
  const [, , a, b] = turnAboutZ(rng);
  const apart = rng.uniform(togetherM[0], togetherM[1]);
  return [x + a * apart, y + b * apart];
}

/** Where the block is asked to go must be on the table and not taken by a third block. */
function hasRoom(goal: PushGoal, blocks: Layout["blocks"]): boolean {
  const isOnTable = ([x, y]: Point) => Math.max(Math.abs(x), Math.abs(y)) <= borderM;
  if (goal.kind === "relative-move") {
    return isOnTable(along(blocks[goal.subject]!, directions[goal.direction!], goal.thresholds.moveM));
  }
  if (goal.kind !== "block-to-relative-place") return true;
  const place = relativePlace(goal, blocks[goal.reference!]!);
  const isFree = Object.entries(blocks).every(
    ([id, centre]) => id === goal.subject || id === goal.reference || distance(centre, place) >= 2 * blockRadiusM,
  );
  return isFree && isOnTable(place);
}

/** The goal must not hold yet, nor hold with thresholds half as strict again. */
function isTaskLeft(goal: PushGoal, layout: Layout): boolean {
  const { thresholds } = goal;
  const lenient = Object.fromEntries(
    Object.entries(thresholds).map(([name, value]) => [
      name,
      name === "separateM" || name === "moveM" ? value : value * 1.5,
    ]),
  ) as PushGoal["thresholds"];
  return (
    shortfall({ ...goal, thresholds: { ...lenient, relativeOffsetM: thresholds.relativeOffsetM } }, layout, layout) !==
    null
  );
}
