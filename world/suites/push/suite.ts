import { arm } from "../../embodiments/arm/arm.ts";
import { armChain } from "../../embodiments/arm/chain.ts";
import { byId, type Pusher } from "../../embodiments/embodiment.ts";
import { hand } from "../../embodiments/hand.ts";
import { jointControlled } from "../../embodiments/joint-control.ts";
import { pusher } from "../../embodiments/pusher.ts";
import { blockScenery } from "../../tabletop/blocks.ts";
import { pushRateHz } from "../../tabletop/workspace.ts";
import type { Suite } from "../suite.ts";
import type { PushConfig } from "./config.ts";
import { createPushExpert } from "./expert.ts";
import type { PushGoal } from "./goal.ts";
import { generatePushInstance } from "./instance.ts";
import { isPushMet, readTruth, verifyPush } from "./verifier.ts";

const control = { chain: armChain, rateHz: pushRateHz };

export const pushers: Readonly<Record<string, Pusher>> = byId([
  pusher,
  arm,
  hand,
  jointControlled(arm, control, "joint-position"),
  jointControlled(arm, control, "joint-velocity"),
]);

/** Blocks are pushed over the table: the counterpart of Language Table (Lynch et al. 2022). */
export const pushSuite: Suite = {
  id: "push",
  draw: (config, body, split, seed) => generatePushInstance(config as PushConfig, body as Pusher, split, seed),
  embodiments: pushers,
  physics: {
    rateHz: pushRateHz,
    timestepS: 0.005,
    options: { integrator: "implicitfast", cone: "pyramidal", iterations: 30, ls_iterations: 20 },
    effector: { condim: 3, friction: [0.2, 0.005, 0.0001] },
  },
  scenery: ({ objects }) => blockScenery(objects.map(({ id }) => id)),
  verify: verifyPush,
  isMet: isPushMet,
  truth: readTruth,
  maxSteps: ({ goal }) => (goal as PushGoal).maxSteps,
  expert: ({ goal }, seed, options) => createPushExpert(goal as PushGoal, seed, options),
};
