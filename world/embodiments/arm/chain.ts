/**
 * @file The arm's kinematics: joint order, axes, limits and proportions of Trossen's WidowX 250 S (its public MJCF in
 * MuJoCo Menagerie), 1.8 times as large so that a vertical tool reaches the whole table. This one description makes the
 * MJCF bodies and is what inverse kinematics solves.
 */
import { inverseKinematics } from "#core/geometry/inverse-kinematics.ts";
import type { ChainJoint, KinematicChain } from "#core/geometry/kinematics.ts";
import { identityQuaternion, type Quaternion, type Vector3 } from "#core/geometry/quaternion.ts";

const scale = 1.8;

const joint = (name: string, origin: Vector3, axis: Vector3, low: number, high: number): ChainJoint => ({
  name,
  kind: "revolute",
  origin: { position: [scale * origin[0], scale * origin[1], scale * origin[2]], quaternion: identityQuaternion },
  axis,
  low,
  high,
  velocityLimit: Math.PI,
});

/** Turns -90 degrees about Z: the arm stands behind the table and looks at the viewer. */
const facingViewer: Quaternion = [0, 0, -Math.SQRT1_2, Math.SQRT1_2];
/** Turns +90 degrees about Y: +Z of the tip is +X of the last link. */
const alongLink: Quaternion = [0, Math.SQRT1_2, 0, Math.SQRT1_2];

/** From the last joint to the end of the rod, metres. */
export const toolLengthM = 0.23;

export const armChain: KinematicChain = {
  worldFromBase: { position: [0, 0.45, 0], quaternion: facingViewer },
  joints: [
    joint("waist", [0, 0, 0.072], [0, 0, 1], -3.14158, 3.14158),
    joint("shoulder", [0, 0, 0.03865], [0, 1, 0], -1.88496, 1.98968),
    joint("elbow", [0.04975, 0, 0.25], [0, 1, 0], -2.14675, 1.6057),
    joint("forearm roll", [0.175, 0, 0], [1, 0, 0], -3.14158, 3.14158),
    joint("wrist angle", [0.075, 0, 0], [0, 1, 0], -1.74533, 2.14675),
    joint("wrist rotate", [0.065, 0, 0], [1, 0, 0], -3.14158, 3.14158),
  ],
  tip: { position: [toolLengthM, 0, 0], quaternion: alongLink },
};

export const armJointNames: readonly string[] = armChain.joints.map(({ name }) => name);

/** Height of the tip while it pushes, metres above the table. */
export const pushHeightM = 0.008;

/** Points straight down. */
const down: Quaternion = [1, 0, 0, 0];

/** Bent over the middle of the table: a start from which every place on it is near. */
const bent = [0, -0.3, 0.9, 0, 1, 0];

/** Joint positions f64[6] that hold the rod upright at [x, y], near `start`; null where the arm cannot. */
export function armJointsAt(
  [x, y]: readonly [number, number],
  heightM: number,
  start: ArrayLike<number> = bent,
): Float64Array | null {
  const target = { position: [x, y, heightM] as const, quaternion: down };
  const { positions, isSolved } = inverseKinematics(armChain, target, start, { orientation: "direction" });
  return isSolved ? positions : null;
}

/** The rod upright over the middle of the table, 15 cm above it. */
export const armHome: Float64Array = armJointsAt([0, 0], 0.15)!;
