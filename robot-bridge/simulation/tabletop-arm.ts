/** @file The world's arm as something behind a bridge: what it does (a plant) and what must be known to drive it. */
import type { TaskInstance } from "#core/contracts/world.ts";
import { urdfOfChain } from "#core/geometry/urdf.ts";
import {
  armChain,
  armJointNames,
  drawInstance,
  findEmbodiment,
  type InstanceRequest,
  pushHeightM,
  reachM,
  SimulatedArm,
} from "#world/index.ts";
import type { ArmDescription } from "../robots/arm-description.ts";
import type { ArmPlant } from "./plant.ts";

/** The arm of the tabletop suites. Its servos follow any acceleration; the limit keeps motions like a real arm's. */
export const tabletopArm: ArmDescription = {
  name: "tabletop-arm",
  chain: armChain,
  accelerationLimit: armJointNames.map(() => 40),
  stateNames: findEmbodiment("arm").stateNames,
  planar: {
    toolHeightM: pushHeightM,
    orientation: "direction",
    workspace: { low: [-reachM, -reachM], high: [reachM, reachM] },
  },
};

export type TabletopTasks = Omit<InstanceRequest, "embodiment">;

/** Opens the table with the arm; episode n plays the task of seed `tasks.seed + n`. */
export async function openTabletopPlant(tasks: TabletopTasks): Promise<ArmPlant> {
  const draw = (episode: number): TaskInstance =>
    drawInstance({ ...tasks, embodiment: "arm", seed: tasks.seed + episode });
  const arm = await SimulatedArm.open(draw(0));
  return {
    names: armJointNames,
    low: armChain.joints.map(({ low }) => low),
    high: armChain.joints.map(({ high }) => high),
    velocityLimit: armChain.joints.map(({ velocityLimit }) => velocityLimit),
    urdf: urdfOfChain("tabletop-arm", armChain),
    camera: "front",
    setTargets: (positions) => arm.setTargets(positions),
    advance: (durationS) => arm.advance(durationS),
    read: () => {
      const { positionsRad: positions, velocitiesRadS: velocities } = arm.read();
      return { positions, velocities };
    },
    picture: (size) => arm.picture(size),
    get instruction() {
      return arm.instance.instruction;
    },
    task: () => arm.verdict(),
    truth: () => arm.truth(),
    get description() {
      return arm.instance;
    },
    reset: (episode) => arm.reset(draw(episode)),
    close: () => arm.close(),
  };
}
