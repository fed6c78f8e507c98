/**
 * @file From what a policy says (metres of the tool, joint positions or speeds) to joint positions over time. Pure: a
 * chunk, the joints it starts from and a start time give a path or the reason why there is none. Whatever leaves a doubt
 * (a value that is not finite, another action space, a place the arm cannot reach, a sudden swing) gives no path.
 */
import type { ActionChunk, ActionSpace } from "#core/contracts/action.ts";
import { ConfigError } from "#core/errors.ts";
import { inverseKinematics, type OrientationGoal } from "#core/geometry/inverse-kinematics.ts";
import { forwardKinematics, type KinematicChain, type Pose } from "#core/geometry/kinematics.ts";
import { multiplyQuaternions, quaternionFromAxisAngle } from "#core/geometry/quaternion.ts";
import type { JointPath } from "./control/joint-path.ts";

export type JointCommandOptions = {
  /** The robot's joints, in the order of its commands. */
  readonly joints: readonly string[];
  /** Needed for actions of the tool; its joints are some or all of `joints`. */
  readonly chain?: KinematicChain | undefined;
  /** What of the tool's turn planar actions keep: "direction" when turning about its own axis does not matter. */
  readonly planarOrientation?: OrientationGoal | undefined;
  /** Planar targets are kept inside, metres in the world. */
  readonly workspace?: Workspace | undefined;
  /** The joint that opens the gripper, for policies that have one: opening 0 and 1 in its unit. */
  readonly gripper?: { readonly joint: string; readonly closed: number; readonly open: number } | undefined;
};

export type Workspace = { readonly low: readonly [number, number]; readonly high: readonly [number, number] };

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
export function checkActionSpace({ joints, chain, gripper }: JointCommandOptions, space: ActionSpace): void {
  const wrong = (expected: string, got: string, advice: string) =>
    new ConfigError(`policy: ${expected}, got ${got}. ${advice}`);
  if (space.gripper !== undefined && !gripper) {
    const name = `"${space.names[space.gripper]}"`;
    throw wrong("must have no gripper for this robot", name, "Name the robot's gripper joint.");
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
  if (!chain) {
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
 * @param kept tool pose in the world whose height and orientation planar actions keep
 */
export function planJoints(
  options: JointCommandOptions,
  chunk: ActionChunk,
  from: ArrayLike<number>,
  startNs: bigint,
  kept: Pose | null = null,
): JointPlan {
  const { actions, length, rateHz, space } = chunk;
  const width = space.names.length;
  if (!(length >= 1) || actions.length !== length * width) {
    return refused(`the policy answered ${actions.length} values for ${length} rows of ${width}`, true);
  }
  if (!(rateHz > 0 && rateHz <= 1000)) return refused(`the policy's rate is ${rateHz} Hz`, true);
  if (!actions.every(Number.isFinite)) return refused("the policy's answer is not finite", true);
  const rows: Float64Array[] = [Float64Array.from(from)];
  const mover = space.kind === "joint-position" || space.kind === "joint-velocity" ? jointMover : toolMover;
  const move = mover(options, chunk, rows[0]!, kept);
  let clipped = 0;
  for (let row = 0; row < length; row++) {
    const action = Float64Array.from({ length: width }, (_, index) => {
      const raw = actions[row * width + index]!;
      const value = Math.min(space.limits.high[index]!, Math.max(space.limits.low[index]!, raw));
      if (value !== raw) clipped += 1;
      return value;
    });
    const next = move(action, rows[row]!);
    if ("kind" in next) return next;
    rows.push(withGripper(options, space, action, next));
  }
  return { kind: "path", path: { startNs, stepS: 1 / rateHz, rows }, clipped };
}

/** One action and the joints before it to the joints after it. */
type Mover = (action: Float64Array, before: Float64Array) => Float64Array | JointPlan;

function jointMover({ joints }: JointCommandOptions, { space, rateHz }: ActionChunk): Mover {
  const columns = joints.map((joint) => space.names.indexOf(joint));
  return (action, before) =>
    before.map((position, joint) => {
      const column = columns[joint]!;
      if (column < 0) return position;
      return space.kind === "joint-position" ? action[column]! : position + action[column]! / rateHz;
    });
}

/** Moves the tool's pose and solves for the joints, near where they were. */
function toolMover(
  { joints, chain, workspace, planarOrientation = "full" }: JointCommandOptions,
  { space }: ActionChunk,
  from: Float64Array,
  kept: Pose | null,
): Mover {
  if (!chain) return () => refused(`${space.kind} needs the robot's kinematics`, true);
  const isPlanar = space.kind === "planar-delta";
  const chainIndices = chain.joints.map(({ name }) => joints.indexOf(name));
  const inChain = (positions: Float64Array) => chainIndices.map((index) => positions[index]!);
  const start = forwardKinematics(chain, inChain(from));
  let tool: Pose = start;
  if (isPlanar && kept) {
    const [x, y] = start.position;
    tool = { position: [x, y, kept.position[2]], quaternion: kept.quaternion };
  }
  return (action, before) => {
    tool = movedTool(tool, space, action, workspace);
    const near = inChain(before);
    const orientation = isPlanar ? planarOrientation : "full";
    const { positions, isSolved } = inverseKinematics(chain, tool, near, { orientation });
    if (!isSolved) {
      return refused(`the arm cannot reach ${tool.position.map((value) => value.toFixed(3)).join(", ")} m`);
    }
    const swing = Math.max(...near.map((value, joint) => Math.abs(positions[joint]! - value)));
    if (!(swing <= largestSwingRad)) return refused(`a joint would swing by ${swing.toFixed(2)} rad in one step`);
    const after = before.slice();
    for (const [joint, index] of chainIndices.entries()) after[index] = positions[joint]!;
    return after;
  };
}

/** Planar: x and y of the world. End effector: metres and a rotation vector (rad), both in the world. */
function movedTool(
  { position, quaternion }: Pose,
  space: ActionSpace,
  action: Float64Array,
  workspace?: Workspace,
): Pose {
  const [dx, dy, dz, rx, ry, rz] = action.filter((_, index) => index !== space.gripper);
  const [x, y] = [position[0] + dx!, position[1] + dy!];
  if (space.kind === "planar-delta") {
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
