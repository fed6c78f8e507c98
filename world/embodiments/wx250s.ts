import type { ChainJoint } from "#core/geometry/kinematics.ts";
import { identityQuaternion, type Quaternion, type Vector3 } from "#core/geometry/quaternion.ts";

/**
 * Joints of Trossen's WidowX 250 S (origins, axes and limits of its public MJCF in MuJoCo Menagerie), with all lengths
 * times `scale`. The last link points along +X.
 */
export function wx250sJoints(scale: number): readonly ChainJoint[] {
  const joint = (name: string, origin: Vector3, axis: Vector3, low: number, high: number): ChainJoint => ({
    name,
    kind: "revolute",
    origin: { position: [scale * origin[0], scale * origin[1], scale * origin[2]], quaternion: identityQuaternion },
    axis,
    low,
    high,
    velocityLimit: Math.PI,
  });
  return [
    joint("waist", [0, 0, 0.072], [0, 0, 1], -3.14158, 3.14158),
    joint("shoulder", [0, 0, 0.03865], [0, 1, 0], -1.88496, 1.98968),
    joint("elbow", [0.04975, 0, 0.25], [0, 1, 0], -2.14675, 1.6057),
    joint("forearm roll", [0.175, 0, 0], [1, 0, 0], -3.14158, 3.14158),
    joint("wrist angle", [0.075, 0, 0], [0, 1, 0], -1.74533, 2.14675),
    joint("wrist rotate", [0.065, 0, 0], [1, 0, 0], -3.14158, 3.14158),
  ];
}

/** Turns -90 degrees about Z: an arm that stands behind the table and looks at the viewer. */
export const facingViewer: Quaternion = [0, 0, -Math.SQRT1_2, Math.SQRT1_2];
