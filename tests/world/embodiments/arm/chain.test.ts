import { afterAll, describe, expect, it } from "@jest/globals";
import { forwardKinematics } from "#core/geometry/kinematics.ts";
import { matrixFromQuaternion, rotate } from "#core/geometry/quaternion.ts";
import { createRng } from "#core/rng.ts";
import { arm } from "#world/embodiments/arm/arm.ts";
import { armChain, armHome, armJointNames, armJointsAt, pushHeightM } from "#world/embodiments/arm/chain.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { Simulation } from "#world/physics/simulation.ts";
import { pushSuite } from "#world/suites/push/suite.ts";

import { tabletopModel } from "#world/tabletop/model.ts";
import { reachM, stepLimitM } from "#world/tabletop/workspace.ts";

const model = tabletopModel({
  embodiment: arm,
  variant: "rod",
  scenery: { assets: "", bodies: "" },
  physics: pushSuite.physics,
  fovyDeg: 40,
  dynamics: { friction: 1, mass: 1 },
});
const simulation = new Simulation(await loadPhysics(), model);
afterAll(() => simulation.close());

const grid = Array.from({ length: 9 }, (_, index) => -reachM + (2 * reachM * index) / 8);
const places = grid.flatMap((x) => grid.map((y) => [x, y] as const));

describe("armChain", () => {
  it("is what MuJoCo simulates: the tip is where forward kinematics says", () => {
    const rng = createRng(3);
    const first = simulation.joint(armJointNames[0]!).position;
    for (let pose = 0; pose < 50; pose++) {
      const positions = armChain.joints.map(({ low, high }) => rng.uniform(low, high));
      simulation.setPositions(first, positions);
      simulation.refresh();
      const { position, rotation } = simulation.site("tip");
      const tip = forwardKinematics(armChain, positions);
      expect(tip.position).toBeAllClose(position, { absolute: 1e-9 });
      expect(matrixFromQuaternion(tip.quaternion)).toBeAllClose(rotation, { absolute: 1e-9 });
    }
  });
});

describe("armJointsAt", () => {
  it("holds the rod upright everywhere on the table, within the limits", () => {
    for (const [x, y] of places) {
      const joints = armJointsAt([x, y], pushHeightM)!;
      expect(joints).not.toBeNull();
      const tip = forwardKinematics(armChain, joints);
      expect(tip.position).toBeAllClose([x, y, pushHeightM], { absolute: 1e-4 });
      expect(rotate(tip.quaternion, [0, 0, 1])).toBeAllClose([0, 0, -1], { absolute: 1e-3 });
      for (const [index, { low, high }] of armChain.joints.entries()) {
        expect(joints[index]).toBeGreaterThanOrEqual(low);
        expect(joints[index]).toBeLessThanOrEqual(high);
      }
    }
  });

  it("moves no joint faster than its limit for the largest step anywhere", () => {
    for (const [x, y] of places) {
      const from = armJointsAt([x, y], pushHeightM)!;
      const to = [x - Math.sign(x) * stepLimitM, y - Math.sign(y) * stepLimitM] as const;
      const joints = armJointsAt(to, pushHeightM, from)!;
      for (const [index, { velocityLimit }] of armChain.joints.entries()) {
        expect(Math.abs(joints[index]! - from[index]!)).toBeLessThanOrEqual(velocityLimit * 0.1);
      }
    }
  });

  it("says when a place is out of reach", () => {
    expect(armJointsAt([0.9, -0.9], pushHeightM)).toBeNull();
  });
});

describe("armHome", () => {
  it("holds the rod above the middle of the table", () => {
    expect(forwardKinematics(armChain, armHome).position).toBeAllClose([0, 0, 0.15], { absolute: 1e-4 });
  });
});
