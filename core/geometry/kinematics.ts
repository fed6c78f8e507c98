/**
 * @file Serial chains of revolute and sliding joints: forward kinematics and Jacobian. Pure functions, browser-safe, the
 * same to the last bit in every engine. Joint positions are radians (revolute) or metres (sliding), in the chain's order.
 */
import {
  cross,
  identityQuaternion,
  multiplyQuaternions,
  normaliseQuaternion,
  type Quaternion,
  quaternionFromAxisAngle,
  rotate,
  type Vector3,
} from "./quaternion.ts";

/** Where a frame is in another one: metres and a unit quaternion [x, y, z, w]. */
export type Pose = { readonly position: Vector3; readonly quaternion: Quaternion };

export type ChainJoint = {
  readonly name: string;
  readonly kind: "revolute" | "sliding";
  /** The joint's frame in the frame of the joint before it (the base for the first), at position 0. */
  readonly origin: Pose;
  /** Unit vector in the joint's own frame. */
  readonly axis: Vector3;
  /** Lowest and highest position: radians or metres. */
  readonly low: number;
  readonly high: number;
  /** Highest speed: radians or metres per second. */
  readonly velocityLimit: number;
};

export type KinematicChain = {
  /** The base in the world. */
  readonly worldFromBase: Pose;
  readonly joints: readonly ChainJoint[];
  /** The tip in the last joint's frame; its +Z is where the tool points. */
  readonly tip: Pose;
};

export const identityPose: Pose = { position: [0, 0, 0], quaternion: identityQuaternion };

/** parentFromChild = parentFromMiddle · middleFromChild. */
export function composePoses(first: Pose, second: Pose): Pose {
  const [x, y, z] = rotate(first.quaternion, second.position);
  const [px, py, pz] = first.position;
  return {
    position: [px + x, py + y, pz + z],
    quaternion: multiplyQuaternions(first.quaternion, second.quaternion),
  };
}

function jointMotion({ kind, axis }: ChainJoint, position: number): Pose {
  if (kind === "revolute") return { position: [0, 0, 0], quaternion: quaternionFromAxisAngle(axis, position) };
  return { position: [axis[0] * position, axis[1] * position, axis[2] * position], quaternion: identityQuaternion };
}

/** Frames of all joints in the world, moved by their joints. @param positions f64[N] */
export function jointPoses(chain: KinematicChain, positions: ArrayLike<number>): Pose[] {
  let pose = chain.worldFromBase;
  return chain.joints.map((joint, index) => {
    pose = composePoses(composePoses(pose, joint.origin), jointMotion(joint, positions[index]!));
    return pose;
  });
}

/** The tip in the world. @param positions f64[N] */
export function forwardKinematics(chain: KinematicChain, positions: ArrayLike<number>): Pose {
  return tipOf(chain, jointPoses(chain, positions));
}

function tipOf(chain: KinematicChain, poses: readonly Pose[]): Pose {
  const { position, quaternion } = composePoses(poses.at(-1) ?? chain.worldFromBase, chain.tip);
  return { position, quaternion: normaliseQuaternion(quaternion) };
}

/**
 * The tip, and how it moves with the joints in the world: rows x, y, z (metres) and rotation about x, y, z (radians), per
 * unit of joint position.
 *
 * @param positions f64[N] @returns `jacobian` f64[6, N] row-major
 */
export function tipJacobian(
  chain: KinematicChain,
  positions: ArrayLike<number>,
): { readonly tip: Pose; readonly jacobian: Float64Array } {
  const poses = jointPoses(chain, positions);
  const count = poses.length;
  const tip = tipOf(chain, poses);
  const jacobian = new Float64Array(6 * count);
  for (const [column, pose] of poses.entries()) {
    const { kind, axis: local } = chain.joints[column]!;
    const axis = rotate(pose.quaternion, local);
    const [x, y, z] = pose.position;
    const arm: Vector3 = [tip.position[0] - x, tip.position[1] - y, tip.position[2] - z];
    const linear = kind === "revolute" ? cross(axis, arm) : axis;
    for (let row = 0; row < 3; row++) {
      jacobian[row * count + column] = linear[row]!;
      jacobian[(row + 3) * count + column] = kind === "revolute" ? axis[row]! : 0;
    }
  }
  return { tip, jacobian };
}

/** Clips to the joints' limits. @param positions f64[N] */
export const clipToLimits = (chain: KinematicChain, positions: ArrayLike<number>): Float64Array =>
  Float64Array.from(chain.joints, ({ low, high }, index) => Math.min(high, Math.max(low, positions[index]!)));

/**
 * Moves joints towards `wanted`, all in proportion, so that none is faster than its limit.
 *
 * @param from, wanted f64[N] @param durationS the time that the motion takes
 */
export function limitJointSpeed(
  { joints }: KinematicChain,
  from: ArrayLike<number>,
  wanted: ArrayLike<number>,
  durationS: number,
): Float64Array {
  let slowdown = 1;
  for (const [index, { velocityLimit }] of joints.entries()) {
    slowdown = Math.max(slowdown, Math.abs(wanted[index]! - from[index]!) / (velocityLimit * durationS));
  }
  return Float64Array.from(joints, (_, index) => from[index]! + (wanted[index]! - from[index]!) / slowdown);
}
