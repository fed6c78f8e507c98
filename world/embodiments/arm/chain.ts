/**
 * @file The arm's kinematics: a WidowX 250 S 1.8 times as large, so that a vertical tool reaches the whole table. This one
 * description makes the MJCF bodies and is what inverse kinematics solves.
 */
import { inverseKinematics } from "#core/geometry/inverse-kinematics.ts";
import type { KinematicChain } from "#core/geometry/kinematics.ts";
import type { Quaternion } from "#core/geometry/quaternion.ts";
import { facingViewer, wx250sJoints } from "../wx250s.ts";

/** Turns +90 degrees about Y: +Z of the tip is +X of the last link. */
const alongLink: Quaternion = [0, Math.SQRT1_2, 0, Math.SQRT1_2];

/** From the last joint to the end of the rod, metres. */
export const toolLengthM = 0.23;

export const armChain: KinematicChain = {
  worldFromBase: { position: [0, 0.45, 0], quaternion: facingViewer },
  joints: wx250sJoints(1.8),
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
