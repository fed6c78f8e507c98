/**
 * @file From what a policy says (metres of the tool, joint positions or speeds) to joint positions over time. Pure: a
 * chunk, the joints it starts from and a start time give a path or the reason why there is none. Whatever leaves a doubt
 * (a value that is not finite, another action space, a place the arm cannot reach, a sudden swing) gives no path.
 */
import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import { ConfigError } from "#core/errors.ts";
import {
  multiplyQuaternions,
  type Quaternion,
  quaternionFromAxisAngle,
  type Vector3,
} from "#core/geometry/quaternion.ts";
import type { JointPath } from "./control/joint-path.ts";

/** Where the tool is in the robot's base frame: metres, and [x, y, z, w]. */
export type ToolPose = { readonly position: Vector3; readonly quaternion: Quaternion };

export interface ArmKinematics {
  forward(positions: ArrayLike<number>): ToolPose;
  /** Joints near `near` that put the tool at `target`; null when there are none inside the joint limits. */
  inverse(target: ToolPose, near: ArrayLike<number>): Float64Array | null;
}

export type JointCommandOptions = {
  /** The robot's joints, in the order of its commands. */
  readonly joints: readonly string[];
  /** Needed for actions of the tool. */
  readonly kinematics?: ArmKinematics;
  /** Planar targets are kept inside, metres in the base frame. */
  readonly workspace?: { readonly low: readonly [number, number]; readonly high: readonly [number, number] };
  /** The joint that opens the gripper, for policies that have one: opening 0 and 1 in its unit. */
  readonly gripper?: { readonly joint: string; readonly closed: number; readonly open: number };
};

export type JointPlan =
  | { readonly kind: "path"; readonly path: JointPath /** Actions outside their limits. */; readonly clipped: number }
  /** `isBroken`: the policy itself is wrong, not just this answer. */
  | { readonly kind: "refused"; readonly reason: string; readonly isBroken: boolean };

/** A joint that turns farther than this in one row has jumped to another solution, rad. */
const largestSwingRad = 0.5;

const refused = (reason: string, isBroken = false): JointPlan => ({ kind: "refused", reason, isBroken });

/** Dimensions of the tool's motion by kind of space, gripper aside. */
const toolDimensions = { "planar-delta": 2, "end-effector-delta": 6 } as const;

/** @throws ConfigError when actions of `space` cannot be turned into commands for this robot */
export function checkActionSpace({ joints, kinematics, gripper }: JointCommandOptions, space: ActionSpace): void {
  const wrong = (expected: string, got: string, advice: string) =>
    new ConfigError(`policy: ${expected}, got ${got}. ${advice}`);
  if (space.gripper !== undefined && !gripper) {
    throw wrong(
      "must have no gripper for this robot",
      `"${space.names[space.gripper]}"`,
      "Name the robot's gripper joint.",
    );
  }
  const names = space.names.filter((_, index) => index !== space.gripper);
  if (space.kind === "joint-position" || space.kind === "joint-velocity") {
    const wanted = joints.filter((joint) => joint !== gripper?.joint || space.gripper === undefined);
    if (names.length === wanted.length && wanted.every((joint) => names.includes(joint))) return;
    throw wrong(`must command the joints ${wanted.join(", ")}`, names.join(", "), "It was trained for another robot.");
  }
  const expected = toolDimensions[space.kind];
  if (names.length !== expected) {
    throw wrong(`${space.kind} must have ${expected} dimensions`, names.join(", "), "Check the checkpoint's metadata.");
  }
  if (!kinematics) {
    throw wrong(
      "must command joints, because this robot's kinematics are not known",
      space.kind,
      "Describe the robot.",
    );
  }
}

/**
 * Plans the joints for one chunk. Action i starts at `startNs + i / rateHz` and is done one period later.
 *
 * @param from rad[J], where the joints are told to be at `startNs`
 * @param kept tool pose whose height and orientation planar actions keep
 */
export function planJoints(
  options: JointCommandOptions,
  chunk: ActionChunk,
  from: ArrayLike<number>,
  startNs: bigint,
  kept: ToolPose | null = null,
): JointPlan {
  const { actions, length, rateHz, space } = chunk;
  const width = space.names.length;
  if (!(length >= 1) || actions.length !== length * width) {
    return refused(`the policy answered ${actions.length} values for ${length} rows of ${width}`, true);
  }
  if (!(rateHz > 0 && rateHz <= 1000)) return refused(`the policy's rate is ${rateHz} Hz`, true);
  if (!actions.every(Number.isFinite)) return refused("the policy's answer is not finite", true);
  const rows: Float64Array[] = [Float64Array.from(from)];
  let tool: ToolPose | null = null;
  let clipped = 0;
  for (let row = 0; row < length; row++) {
    const before = rows[row]!;
    const action = Float64Array.from({ length: width }, (_, index) => {
      const raw = actions[row * width + index]!;
      const value = Math.min(space.limits.high[index]!, Math.max(space.limits.low[index]!, raw));
      if (value !== raw) clipped += 1;
      return value;
    });
    let next: Float64Array | null;
    if (space.kind === "joint-position" || space.kind === "joint-velocity") {
      next = moveJoints(options, space, action, before, rateHz);
    } else {
      const { kinematics } = options;
      if (!kinematics) return refused(`${space.kind} needs the robot's kinematics`, true);
      tool = moveTool(options, space, action, tool ?? startPose(kinematics.forward(before), space, kept));
      next = kinematics.inverse(tool, before);
      if (!next) return refused(`the arm cannot reach ${tool.position.map((value) => value.toFixed(3)).join(", ")} m`);
      const swing = Math.max(...next.map((value, joint) => Math.abs(value - before[joint]!)));
      if (!(swing <= largestSwingRad)) return refused(`a joint would swing by ${swing.toFixed(2)} rad in one step`);
    }
    rows.push(withGripper(options, space, action, next));
  }
  return { kind: "path", path: { startNs, stepS: 1 / rateHz, rows }, clipped };
}

function startPose(pose: ToolPose, { kind }: ActionSpace, kept: ToolPose | null): ToolPose {
  if (kind !== "planar-delta" || !kept) return pose;
  return { position: [pose.position[0], pose.position[1], kept.position[2]], quaternion: kept.quaternion };
}

function moveJoints(
  { joints }: JointCommandOptions,
  { kind, names }: ActionSpace,
  action: Float64Array,
  before: Float64Array,
  rateHz: number,
): Float64Array {
  return before.map((position, joint) => {
    const index = names.indexOf(joints[joint]!);
    if (index < 0) return position;
    return kind === "joint-position" ? action[index]! : position + action[index]! / rateHz;
  });
}

/** Planar: x and y of the base frame. End effector: metres and a rotation vector (rad), both in the base frame. */
function moveTool(
  { workspace }: JointCommandOptions,
  { kind, gripper }: ActionSpace,
  action: Float64Array,
  { position, quaternion }: ToolPose,
): ToolPose {
  const [dx, dy, dz, rx, ry, rz] = action.filter((_, index) => index !== gripper);
  const [x, y] = [position[0] + dx!, position[1] + dy!];
  if (kind === "planar-delta") {
    const inside = (value: number, axis: 0 | 1) =>
      workspace ? Math.min(workspace.high[axis], Math.max(workspace.low[axis], value)) : value;
    return { position: [inside(x, 0), inside(y, 1), position[2]], quaternion };
  }
  const angle = Math.hypot(rx!, ry!, rz!);
  const turn = angle === 0 ? null : quaternionFromAxisAngle([rx!, ry!, rz!], angle);
  return {
    position: [x, y, position[2] + dz!],
    quaternion: turn ? multiplyQuaternions(turn, quaternion) : quaternion,
  };
}

/** Opening in [0, 1] to the gripper joint's own unit. */
function withGripper(
  { joints, gripper }: JointCommandOptions,
  space: ActionSpace,
  action: Float64Array,
  positions: Float64Array,
): Float64Array {
  if (space.gripper === undefined || !gripper) return positions;
  const next = positions.slice();
  next[joints.indexOf(gripper.joint)] = gripper.closed + action[space.gripper]! * (gripper.open - gripper.closed);
  return next;
}
