import { describe, expect, it } from "@jest/globals";
import type { ActionChunk, ActionKind, ActionSpace } from "#core/contracts/action.ts";
import {
  type ChainJoint,
  forwardKinematics,
  identityPose,
  type KinematicChain,
  type Pose,
} from "#core/geometry/kinematics.ts";
import { quaternionFromAxisAngle, rotate, type Vector3 } from "#core/geometry/quaternion.ts";
import { checkActionSpace, planJoints } from "#robot-bridge/joint-commands.ts";

/** A gantry: three slides along x, y, z that reach 0.5 m, and a wrist about z. */
const slide = (name: string, axis: Vector3): ChainJoint => ({
  name,
  kind: "sliding",
  origin: identityPose,
  axis,
  low: -0.5,
  high: 0.5,
  velocityLimit: 1,
});
const gantry: KinematicChain = {
  worldFromBase: identityPose,
  joints: [
    slide("x", [1, 0, 0]),
    slide("y", [0, 1, 0]),
    slide("z", [0, 0, 1]),
    { ...slide("turn", [0, 0, 1]), kind: "revolute", low: -3, high: 3 },
  ],
  tip: identityPose,
};
const joints = ["x", "y", "z", "turn"];
const options = { joints, chain: gantry };

const space = (kind: ActionKind, names: readonly string[], gripper?: number): ActionSpace => ({
  kind,
  names,
  units: names.map(() => "m/step"),
  limits: { low: names.map(() => -0.5), high: names.map(() => 0.5) },
  ...(gripper === undefined ? {} : { gripper }),
});
const planar = space("planar-delta", ["dx", "dy"]);
const turning: ActionSpace = {
  ...space("end-effector-delta", ["dx", "dy", "dz", "rx", "ry", "rz"]),
  limits: { low: new Array(6).fill(-1), high: new Array(6).fill(1) },
};
const tool = space("end-effector-delta", ["dx", "dy", "dz", "rx", "ry", "rz"]);

const chunk = (of: ActionSpace, ...rows: number[][]): ActionChunk => ({
  actions: Float32Array.from(rows.flat()),
  length: rows.length,
  rateHz: 10,
  space: of,
  stampNs: 0n,
  policyId: "test",
});
const rowsOf = (plan: ReturnType<typeof planJoints>) => {
  if (plan.kind === "refused") throw new Error(plan.reason);
  return plan.path.rows.map((row) => [...row]);
};

describe("planJoints", () => {
  it("adds planar steps up and keeps the height and the turn of the kept tool", () => {
    const kept: Pose = { position: [0, 0, 0.1], quaternion: quaternionFromAxisAngle([0, 0, 1], 0.2) };
    const plan = planJoints(options, chunk(planar, [0.01, 0], [0, -0.02]), [0.1, 0.1, 0.09, 0.21], 7n, kept);
    expect(plan).toMatchObject({ kind: "path", clipped: 0, path: { startNs: 7n, stepS: 0.1 } });
    const rows = rowsOf(plan);
    expect(rows[0]).toBeAllClose([0.1, 0.1, 0.09, 0.21]);
    expect(rows[1]).toBeAllClose([0.11, 0.1, 0.1, 0.2]);
    expect(rows[2]).toBeAllClose([0.11, 0.08, 0.1, 0.2]);
  });

  it("keeps planar targets inside the workspace", () => {
    const workspace = { low: [-0.1, -0.1], high: [0.1, 0.1] } as const;
    const plan = planJoints({ ...options, workspace }, chunk(planar, [0.3, -0.3]), [0, 0, 0, 0], 0n);
    expect(rowsOf(plan)[1]).toBeAllClose([0.1, -0.1, 0, 0]);
  });

  it("moves and turns the tool in the base frame", () => {
    const quarter = Math.PI / 8;
    const plan = planJoints(options, chunk(tool, [0.01, 0.02, 0.03, 0, 0, quarter]), [0, 0, 0, 0.1], 0n);
    expect(rowsOf(plan)[1]).toBeAllClose([0.01, 0.02, 0.03, 0.1 + quarter]);
    const turned = forwardKinematics(gantry, rowsOf(plan)[1]!).quaternion;
    expect(rotate(turned, [1, 0, 0])).toBeAllClose([Math.cos(0.1 + quarter), Math.sin(0.1 + quarter), 0]);
  });

  it("takes joint positions by name, and integrates joint speeds", () => {
    const positions = space("joint-position", ["turn", "x", "y", "z"]);
    expect(rowsOf(planJoints({ joints }, chunk(positions, [0.4, 0.1, 0.2, 0.3]), [0, 0, 0, 0], 0n))[1]).toBeAllClose([
      0.1, 0.2, 0.3, 0.4,
    ]);
    const speeds = space("joint-velocity", joints);
    const rows = rowsOf(planJoints({ joints }, chunk(speeds, [0.5, 0, 0, -0.5], [0.5, 0, 0, 0]), [0, 0, 0, 0], 0n));
    expect(rows[1]).toBeAllClose([0.05, 0, 0, -0.05]);
    expect(rows[2]).toBeAllClose([0.1, 0, 0, -0.05]);
  });

  it("opens the gripper by its joint", () => {
    const withGripper = space("end-effector-delta", ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"], 6);
    const arm = {
      joints: ["finger", ...joints],
      chain: gantry,
      gripper: { joint: "finger", closed: 0.8, open: 0 },
    };
    const plan = planJoints(arm, chunk(withGripper, [0.01, 0, 0, 0, 0, 0, 0.25]), [0.8, 0, 0, 0, 0], 0n);
    expect(rowsOf(plan)[1]).toBeAllClose([0.6, 0.01, 0, 0, 0], { absolute: 1e-4 });
  });

  it("clips actions to their space's limits and counts them", () => {
    const plan = planJoints(options, chunk(planar, [9, 0], [-9, -9]), [0, 0, 0, 0], 0n);
    expect(plan).toMatchObject({ kind: "path", clipped: 3 });
    expect(rowsOf(plan)[1]).toBeAllClose([0.5, 0, 0, 0]);
  });

  it.each([
    ["NaN", chunk(planar, [Number.NaN, 0]), "the policy's answer is not finite", true],
    ["an infinite action", chunk(planar, [Infinity, 0]), "the policy's answer is not finite", true],
    ["no rows", chunk(planar), "the policy answered 0 values for 0 rows of 2", true],
    ["too many values", { ...chunk(planar, [0, 0]), length: 2 }, "the policy answered 2 values for 2 rows of 2", true],
    ["no rate", { ...chunk(planar, [0, 0]), rateHz: 0 }, "the policy's rate is 0 Hz", true],
    ["a place out of reach", chunk(planar, [0.4, 0], [0.4, 0]), "the arm cannot reach 0.800, 0.000, 0.000 m", false],
    ["a turn that the arm cannot make", chunk(tool, [0, 0, 0, 0.5, 0, 0]), "the arm cannot reach", false],
    ["a sudden swing", chunk(turning, [0, 0, 0, 0, 0, 0.6]), "a joint would swing by 0.60 rad in one step", false],
  ])("gives no path for %s", (_, given, reason, isBroken) => {
    expect(planJoints(options, given, [0, 0, 0, 0], 0n)).toEqual({
      kind: "refused",
      reason: expect.stringContaining(reason),
      isBroken,
    });
  });

  it("gives no path for the tool of a robot whose kinematics are unknown", () => {
    expect(planJoints({ joints }, chunk(planar, [0, 0]), [0, 0, 0, 0], 0n)).toMatchObject({ isBroken: true });
  });
});

describe("checkActionSpace", () => {
  const gripper = { joint: "turn", closed: 0, open: 1 };
  it.each<[string, Parameters<typeof checkActionSpace>[0], ActionSpace]>([
    ["planar steps", options, planar],
    ["tool steps", options, tool],
    ["joints in another order", { joints }, space("joint-position", ["z", "y", "x", "turn"])],
    ["joints and a gripper", { joints, gripper }, space("joint-velocity", ["x", "y", "z", "open"], 3)],
  ])("accepts %s", (_, robot, wanted) => expect(() => checkActionSpace(robot, wanted)).not.toThrow());

  it.each<[string, Parameters<typeof checkActionSpace>[0], ActionSpace, string]>([
    [
      "joints of another robot",
      { joints },
      space("joint-position", ["a", "b"]),
      "must command the joints x, y, z, turn",
    ],
    ["a gripper that is not there", options, space("planar-delta", ["dx", "dy", "g"], 2), "must have no gripper"],
    ["three planar steps", options, space("planar-delta", ["dx", "dy", "dz"]), "must have 2 dimensions"],
    ["the tool without kinematics", { joints }, tool, "kinematics are not known"],
  ])("refuses %s", (_, robot, wanted, message) => expect(() => checkActionSpace(robot, wanted)).toThrow(message));
});
