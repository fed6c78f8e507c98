import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  type ChainJoint,
  clipToLimits,
  composePoses,
  forwardKinematics,
  identityPose,
  jointPoses,
  type KinematicChain,
  limitJointSpeed,
  tipJacobian,
} from "#core/geometry/kinematics.ts";
import { identityQuaternion, quaternionFromAxisAngle, rotationVectorBetween } from "#core/geometry/quaternion.ts";

const joint = (
  name: string,
  position: ChainJoint["origin"]["position"],
  axis: ChainJoint["axis"],
  kind: ChainJoint["kind"] = "revolute",
): ChainJoint => ({
  name,
  kind,
  origin: { position, quaternion: identityQuaternion },
  axis,
  low: -2,
  high: 2,
  velocityLimit: 1,
});

/** Two links of 1 m and 0.5 m in the plane, then a slide along the second link. */
const planar: KinematicChain = {
  worldFromBase: { position: [0, 0, 0.1], quaternion: identityQuaternion },
  joints: [
    joint("first", [0, 0, 0], [0, 0, 1]),
    joint("second", [1, 0, 0], [0, 0, 1]),
    joint("slide", [0, 0, 0], [1, 0, 0], "sliding"),
  ],
  tip: { position: [0.5, 0, 0], quaternion: identityQuaternion },
};

/** A chain with every kind of axis and a turned base and tip. */
const spatial: KinematicChain = {
  worldFromBase: { position: [0.2, -0.1, 0.3], quaternion: quaternionFromAxisAngle([1, 2, 3], 0.8) },
  joints: [
    joint("a", [0, 0, 0.1], [0, 0, 1]),
    joint("b", [0.1, 0, 0.2], [0, 1, 0]),
    joint("c", [0.3, 0.05, 0], [1, 0, 0]),
    joint("d", [0.2, 0, 0], [0.6, 0.8, 0], "sliding"),
    joint("e", [0.1, 0, 0], [0, 0.6, 0.8]),
  ],
  tip: { position: [0.1, 0.02, -0.03], quaternion: quaternionFromAxisAngle([0, 1, 0], 1.1) },
};

const positions = fc.array(fc.double({ min: -1.5, max: 1.5, noNaN: true }), { minLength: 5, maxLength: 5 });

describe("forwardKinematics", () => {
  it("adds up links that are drawn on paper", () => {
    const straight = forwardKinematics(planar, [0, 0, 0]);
    expect(straight.position).toBeAllClose([1.5, 0, 0.1]);
    const bent = forwardKinematics(planar, [Math.PI / 2, -Math.PI / 2, 0.2]);
    expect(bent.position).toBeAllClose([0.7, 1, 0.1]);
    expect(bent.quaternion).toBeAllClose([0, 0, 0, 1]);
  });

  it("is the last joint's frame followed by the tip", () => {
    const at = [0.1, 0.2, 0.3, 0.4, 0.5];
    const last = jointPoses(spatial, at).at(-1)!;
    const tip = forwardKinematics(spatial, at);
    expect(tip.position).toBeAllClose(composePoses(last, spatial.tip).position);
  });

  it("of a chain without joints is base and tip", () => {
    const { position } = forwardKinematics({ worldFromBase: identityPose, joints: [], tip: planar.tip }, []);
    expect(position).toEqual([0.5, 0, 0]);
  });
});

describe("tipJacobian", () => {
  it("agrees with finite differences in position and rotation", () => {
    fc.assert(
      fc.property(positions, (at) => {
        const { jacobian, tip } = tipJacobian(spatial, at);
        expect(tip).toEqual(forwardKinematics(spatial, at));
        const step = 1e-6;
        for (let column = 0; column < 5; column++) {
          const moved = (sign: number) =>
            forwardKinematics(
              spatial,
              at.map((value, index) => value + (index === column ? sign * step : 0)),
            );
          const [before, after] = [moved(-1), moved(1)];
          const linear = after.position.map((value, axis) => (value - before.position[axis]!) / (2 * step));
          const turn = rotationVectorBetween(before.quaternion, after.quaternion).map((value) => value / (2 * step));
          const got = Array.from({ length: 6 }, (_, row) => jacobian[5 * row + column]!);
          expect(got).toBeAllClose([...linear, ...turn], { absolute: 1e-7 });
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("clipToLimits", () => {
  it("moves only what is outside", () => {
    expect([...clipToLimits(planar, [-3, 1, 2.5])]).toEqual([-2, 1, 2]);
  });
});

describe("limitJointSpeed", () => {
  it("slows all joints alike until the fastest keeps its limit", () => {
    // 1 rad/s for 0.1 s is 0.1 rad: a wish of 0.2 is halved.
    expect(limitJointSpeed(planar, [0, 1, 0], [0.2, 1.1, -0.04], 0.1)).toBeAllClose([0.1, 1.05, -0.02]);
    expect([...limitJointSpeed(planar, [0, 0, 0], [0.05, 0, -0.1], 0.1)]).toEqual([0.05, 0, -0.1]);
  });
});
