/** @file Serial chains as URDF, so that anything that speaks ROS can draw them and compute with them. Browser-safe. */
import type { ChainJoint, KinematicChain, Pose } from "./kinematics.ts";
import { matrixFromQuaternion, type Quaternion, type Vector3 } from "./quaternion.ts";

/**
 * URDF's fixed-axis angles of a rotation, R = Rz(yaw) · Ry(pitch) · Rx(roll): the inverse of
 * `quaternionFromRollPitchYaw`. Where pitch is ±90 degrees, roll is taken as 0.
 */
export function rollPitchYawFromQuaternion(quaternion: Quaternion): Vector3 {
  const [m00, m01, , m10, m11, , m20, m21, m22] = matrixFromQuaternion(quaternion);
  const flat = Math.sqrt(m00 * m00 + m10 * m10);
  const pitch = Math.atan2(-m20, flat);
  if (flat < 1e-9) return [0, pitch, Math.atan2(-m01, m11)];
  return [Math.atan2(m21, m22), pitch, Math.atan2(m10, m00)];
}

const escapeXml = (text: string) =>
  text.replace(/[<>&"]/g, (letter) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;" })[letter]!);
const numbers = (values: readonly number[]) => values.map((value) => Number(value.toPrecision(12))).join(" ");

const originOf = ({ position, quaternion }: Pose) =>
  `<origin xyz="${numbers(position)}" rpy="${numbers(rollPitchYawFromQuaternion(quaternion))}"/>`;

const link = (name: string) => `<link name="${escapeXml(name)}"/>`;

function fixedJoint(name: string, parent: string, child: string, pose: Pose): string {
  const ends = `<parent link="${escapeXml(parent)}"/><child link="${escapeXml(child)}"/>`;
  return `<joint name="${escapeXml(name)}" type="fixed">${originOf(pose)}${ends}</joint>`;
}

function movingJoint({ name, kind, origin, axis, low, high, velocityLimit }: ChainJoint, parent: string): string {
  const type = kind === "revolute" ? "revolute" : "prismatic";
  return [
    `<joint name="${escapeXml(name)}" type="${type}">${originOf(origin)}`,
    `<parent link="${escapeXml(parent)}"/><child link="${escapeXml(`${name} link`)}"/>`,
    `<axis xyz="${numbers(axis)}"/>`,
    `<limit lower="${low}" upper="${high}" velocity="${velocityLimit}" effort="0"/></joint>`,
  ].join("");
}

/**
 * A chain as URDF: links `world`, `base`, `JOINT link` for each joint, and `tip`; joints under the chain's own names.
 * Links have no shapes and no masses.
 */
export function urdfOfChain(name: string, { worldFromBase, joints, tip }: KinematicChain): string {
  const names = joints.map((joint) => `${joint.name} link`);
  const parts = [
    link("world"),
    link("base"),
    ...names.map(link),
    link("tip"),
    fixedJoint("world to base", "world", "base", worldFromBase),
    ...joints.map((joint, index) => movingJoint(joint, names[index - 1] ?? "base")),
    fixedJoint("tip", names.at(-1) ?? "base", "tip", tip),
  ];
  return `<?xml version="1.0"?>\n<robot name="${escapeXml(name)}">\n  ${parts.join("\n  ")}\n</robot>\n`;
}
