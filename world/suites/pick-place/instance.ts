import type { TaskInstance } from "#core/contracts/world.ts";
import { ConfigError } from "#core/errors.ts";
import type { Quaternion, Vector3 } from "#core/geometry/quaternion.ts";
import { createRng, type Rng } from "#core/rng.ts";
import type { Embodiment, Setting } from "../../embodiments/embodiment.ts";
import { contentHash } from "../../instance-hash.ts";
import type { TabletopInitial } from "../../tabletop/initial.ts";
import { drawCamera, drawLooks, type Viewpoint } from "../../tabletop/looks.ts";
import { drawDynamics, drawNudges } from "../../tabletop/variation.ts";
import { pickWeighted, turnAboutZ } from "../chance.ts";
import type { Split } from "../split.ts";
import { type PickPlaceConfig, pickKinds } from "./config.ts";
import type { PickGoal } from "./goal.ts";
import { pickPhrase } from "./grammar.ts";
import { pickSplitContent } from "./splits.ts";
import { drawerJoint, type ThingKind, thingKinds, thingMaterials } from "./things.ts";

/** Things start inside this box around the table's centre, metres: what every arm reaches with its gripper upright. */
const spreadM = { x: 0.14, y: 0.095 } as const;
/** Room between outlines for the jaws. */
const jawRoomM = 0.03;
const attempts = 200;
const triesPerThing = 40;

const viewpoints: Readonly<Record<Setting, Viewpoint>> = {
  lab: { position: [0, -0.5, 0.52], target: [0, 0, 0.03], fovyDeg: 42, jitterM: 0.025 },
  home: { position: [0.06, -0.58, 0.56], target: [0.01, 0, 0.03], fovyDeg: 40, jitterM: 0.04 },
};

/**
 * Draws one task of a split. Equal arguments give equal instances; the hash covers what decides the episode.
 *
 * @throws ConfigError when the configuration has nothing for this split
 */
export function generatePickInstance(
  config: PickPlaceConfig,
  embodiment: Embodiment,
  split: Split,
  seed: number,
): TaskInstance {
  const rng = createRng(`pick-place/${embodiment.id}/${split}/${seed}`);
  const offered = pickKinds.flatMap((kind) => {
    const content = pickSplitContent(kind, split, config);
    const usable = config.kinds[kind] > 0 && content.combinations.length > 0 && content.phrasings.length > 0;
    return usable ? [{ kind, weight: config.kinds[kind], ...content }] : [];
  });
  if (offered.length === 0) {
    throw new ConfigError(`suite: split "${split}" must hold some task, got none. Turn on holdOut or choose "seen".`);
  }
  const draws = rng.fork("task");
  const { kind, combinations, phrasings } = pickWeighted(offered, draws);
  const { subject, target } = draws.pick(combinations);
  const how = draws.pick(phrasings);
  const goal: PickGoal = {
    kind,
    subject: subject.id,
    ...(target ? { target: target.id } : {}),
    holdSteps: config.holdSteps,
    maxSteps: config.maxSteps,
  };
  const named = [subject, ...(target ? [target] : [])];
  const initial = drawInitial(config, embodiment, goal, named, rng);
  const content = {
    suite: "pick-place",
    embodiment: embodiment.id,
    task: kind,
    instruction: pickPhrase(kind, subject, target, how),
    goal,
    initial,
  };
  return { hash: contentHash(content), ...content, split, seed };
}

function drawInitial(
  config: PickPlaceConfig,
  embodiment: Embodiment,
  goal: PickGoal,
  named: readonly ThingKind[],
  rng: Rng,
): TabletopInitial {
  const spare = thingKinds.filter((kind) => kind.role === "item" && !named.includes(kind));
  const things = [...named, ...rng.fork("distractors").shuffle(spare).slice(0, config.distractors)];
  const objects = drawLayout(things, rng.fork("layout"));
  const ids = things.map(({ id }) => id);
  const body = rng.fork("body");
  const start = rng.fork("start");
  const isDrawer = goal.kind === "open-drawer" || goal.kind === "close-drawer";
  const drawerM = goal.kind === "close-drawer" ? start.uniform(0.07, 0.095) : 0;
  return {
    variant: config.looks === "none" ? embodiment.variants[0]! : body.pick(embodiment.variants),
    objects,
    joints: isDrawer ? { [drawerJoint]: drawerM } : {},
    tip: [start.uniform(-0.08, 0.08), start.uniform(-0.02, 0.06), start.uniform(0.14, 0.17), start.uniform(-0.2, 0.2)],
    camera: drawCamera(embodiment.setting, viewpoints[embodiment.setting], config.camera, rng.fork("camera")),
    looks: drawLooks(embodiment, thingMaterials(ids), config.looks, rng.fork("looks")),
    dynamics: drawDynamics(config.dynamics, rng.fork("dynamics")),
    nudges: isDrawer ? [] : drawNudges(config.nudges, [goal.subject], config.maxSteps / 3, rng.fork("nudges")),
  };
}

type Placed = TabletopInitial["objects"][number];

const unturned: Quaternion = [0, 0, 0, 1];

/**
 * Places things one by one where they have room, the subject (the first) with room for the jaws; the cabinet stands at the
 * back, the way of its drawer kept free.
 */
function drawLayout(things: readonly ThingKind[], rng: Rng): Placed[] {
  const [subject] = things;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const placed: Placed[] = [];
    for (const thing of things) {
      for (let tries = 0; tries < triesPerThing; tries++) {
        const position = drawPlace(thing, rng);
        const isClear = placed.every((other, index) => {
          const roomM = things[index] === subject || thing === subject ? jawRoomM : 0.008;
          return isApart(thing, position, things[index]!, other.position, roomM);
        });
        if (!isClear) continue;
        placed.push({ id: thing.id, position, quaternion: thing.role === "furniture" ? unturned : turnAboutZ(rng) });
        break;
      }
    }
    if (placed.length === things.length) return placed;
  }
  const names = things.map(({ noun }) => noun).join(", ");
  throw new ConfigError(`suite: the table must have room for ${names}, found none. Use fewer distractors.`);
}

const drawPlace = ({ role, halfHeightM }: ThingKind, rng: Rng): Vector3 =>
  role === "furniture"
    ? [rng.uniform(-0.03, 0.03), rng.uniform(0.05, 0.07), halfHeightM]
    : [rng.uniform(-spreadM.x, spreadM.x), rng.uniform(-spreadM.y, spreadM.y), halfHeightM];

function isApart(
  thing: ThingKind,
  [x, y]: Vector3,
  other: ThingKind,
  [otherX, otherY]: Vector3,
  roomM: number,
): boolean {
  // Beside the cabinet and the way of its drawer.
  if (other.role === "furniture") return Math.abs(x - otherX) >= 0.08 + thing.radiusM + 0.01;
  return Math.sqrt((x - otherX) ** 2 + (y - otherY) ** 2) >= thing.radiusM + other.radiusM + roomM;
}
