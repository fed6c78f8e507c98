/** @file A whole suite in one file: roll the ball to the far side. What docs/world.md takes apart. */
import type { TaskInstance, Verdict } from "#core/contracts/world.ts";
import { createRng } from "#core/rng.ts";
import type { Embodiment } from "#world/embodiments/embodiment.ts";
import { pusher } from "#world/embodiments/pusher.ts";
import { contentHash } from "#world/instance-hash.ts";
import { element } from "#world/physics/xml.ts";
import { readTruth } from "#world/suites/push/verifier.ts";
import type { Split } from "#world/suites/split.ts";
import type { Suite } from "#world/suites/suite.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";
import { drawCamera, drawLooks } from "#world/tabletop/looks.ts";

const radiusM = 0.03;
/** Beyond this line the ball has arrived, metres. */
const farM = 0.2;
const view = { position: [0, -0.5, 0.7], target: [0, 0, 0], fovyDeg: 40, jitterM: 0.02 } as const;

/** What is asked, where everything is: a plain value with a hash. */
function draw(_config: unknown, body: Embodiment, split: Split, seed: number): TaskInstance {
  const rng = createRng(`roll/${body.id}/${split}/${seed}`);
  const initial: TabletopInitial = {
    variant: body.variants[0]!,
    objects: [
      { id: "ball", position: [rng.uniform(-0.1, 0.1), rng.uniform(-0.05, 0.05), radiusM], quaternion: [0, 0, 0, 1] },
    ],
    joints: {},
    tip: [rng.uniform(-0.1, 0.1), -0.2],
    camera: drawCamera(body.setting, view, "low", rng.fork("camera")),
    looks: drawLooks(body, { ball: { rgba: [0.1, 0.5, 0.3, 1] } }, "low", rng.fork("looks")),
    dynamics: { friction: 1, mass: 1 },
    nudges: [],
  };
  const content = {
    suite: "roll",
    embodiment: body.id,
    task: "roll",
    instruction: "roll the ball to the far side",
    goal: {},
    initial,
  };
  return { hash: contentHash(content), ...content, split, seed };
}

export const rollSuite: Suite = {
  id: "roll",
  embodiments: { pusher },
  physics: {
    rateHz: 10,
    timestepS: 0.005,
    options: { integrator: "implicitfast", cone: "elliptic" },
    effector: { condim: 3, friction: [0.6, 0.005, 0.0001] },
  },
  draw,
  scenery: () => ({
    assets: "",
    bodies: element(
      "body",
      { name: "ball", pos: [0, 0, radiusM] },
      element("freejoint", { name: "ball" }),
      element("geom", { name: "ball", class: "thing", type: "sphere", size: [radiusM] }),
    ),
  }),
  truth: readTruth,
  /** Pure: judges by the log alone. */
  verify: (log): Verdict => {
    const last = log.rows.length - 1;
    const isThere = last >= 0 && readTruth(log, last).blocks.ball![1] >= farM;
    return isThere ? { success: true, reasons: [] } : { success: false, reasons: ["the ball is not there yet"] };
  },
  isMet: (log) => readTruth(log, log.rows.length - 1).blocks.ball![1] >= farM,
  maxSteps: () => 40,
  /** Straight at it from where it starts, and on. */
  expert: () => ({
    act: ({ tip, blocks }) => {
      const way = [blocks.ball![0] - tip[0], blocks.ball![1] - tip[1]] as const;
      const length = Math.sqrt(way[0] ** 2 + way[1] ** 2);
      return Float32Array.of((0.03 * way[0]) / length, (0.03 * way[1]) / length);
    },
  }),
};
