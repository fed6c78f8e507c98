import { byId } from "../../embodiments/embodiment.ts";
import { graspingHand } from "../../embodiments/gripper/grasping-hand.ts";
import { gripperRateHz } from "../../embodiments/gripper/gripper-effector.ts";
import { panda, pandaChain, pandaJaws } from "../../embodiments/gripper/panda.ts";
import { widowx, widowxChain, widowxJaws } from "../../embodiments/gripper/widowx.ts";
import { jointControlled } from "../../embodiments/joint-control.ts";
import type { Suite } from "../suite.ts";
import type { PickPlaceConfig } from "./config.ts";
import { createPickExpert } from "./expert.ts";
import { type PickGoal, readPickTruth } from "./goal.ts";
import { generatePickInstance } from "./instance.ts";
import { thingScenery } from "./things.ts";
import { isPickMet, verifyPick } from "./verifier.ts";

const jointDriven = (["joint-position", "joint-velocity"] as const).flatMap((mode) => [
  jointControlled(widowx, { chain: widowxChain, rateHz: gripperRateHz, halfOpenM: widowxJaws.halfOpenM }, mode),
  jointControlled(panda, { chain: pandaChain, rateHz: gripperRateHz, halfOpenM: pandaJaws.halfOpenM }, mode),
]);

/** Things are picked up and put somewhere: the counterpart of SIMPLER (Li et al. 2024). */
export const pickPlaceSuite: Suite = {
  id: "pick-place",
  draw: (config, body, split, seed) => generatePickInstance(config as PickPlaceConfig, body, split, seed),
  embodiments: byId([widowx, panda, graspingHand, ...jointDriven]),
  physics: {
    rateHz: gripperRateHz,
    timestepS: 0.004,
    // Grips are stiff: a solver that stops early lets things pop out of the jaws.
    options: { integrator: "implicitfast", cone: "elliptic", impratio: 10, iterations: 100, ls_iterations: 50 },
    effector: { condim: 4, friction: [1.5, 0.02, 0.0001] },
  },
  scenery: ({ objects, dynamics }) =>
    thingScenery(
      objects.map(({ id }) => id),
      dynamics.mass,
    ),
  verify: verifyPick,
  isMet: isPickMet,
  truth: readPickTruth,
  maxSteps: ({ goal }) => (goal as PickGoal).maxSteps,
  expert: ({ goal }, seed, options) => createPickExpert(goal as PickGoal, seed, options),
};
