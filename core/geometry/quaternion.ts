/**
 * @file Quaternions `[x, y, z, w]` (unit, Hamilton) and row-major 3x3 rotations. Browser-safe, and the same to the last
 * bit in every JavaScript engine: trigonometry comes from trigonometry.ts, never from `Math`.
 */
import { arcTangent2, sineCosine } from "./trigonometry.ts";

export type Vector3 = readonly [number, number, number];
export type Quaternion = readonly [number, number, number, number];
/** Row-major; columns are the local axes in the parent frame. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

export const identityQuaternion: Quaternion = [0, 0, 0, 1];

/** `first` applied after `second`: parentFromChild = parentFromMiddle · middleFromChild. */
export function multiplyQuaternions(first: Quaternion, second: Quaternion): Quaternion {
  const [ax, ay, az, aw] = first;
  const [bx, by, bz, bw] = second;
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

export const conjugate = ([x, y, z, w]: Quaternion): Quaternion => [-x, -y, -z, w];

export function normaliseQuaternion([x, y, z, w]: Quaternion): Quaternion {
  const length = Math.sqrt(x * x + y * y + z * z + w * w);
  return length === 0 ? identityQuaternion : [x / length, y / length, z / length, w / length];
}

/** Rotation of `angleRad` about `axis` (any length but 0). */
export function quaternionFromAxisAngle(axis: Vector3, angleRad: number): Quaternion {
  const length = Math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2);
  const [sine, cosine] = sineCosine(angleRad / 2);
  const scale = sine / length;
  return [axis[0] * scale, axis[1] * scale, axis[2] * scale, cosine];
}

/** URDF's fixed-axis roll, pitch, yaw: R = Rz(yaw) · Ry(pitch) · Rx(roll). */
export function quaternionFromRollPitchYaw(roll: number, pitch: number, yaw: number): Quaternion {
  const aboutX = quaternionFromAxisAngle([1, 0, 0], roll);
  const aboutY = quaternionFromAxisAngle([0, 1, 0], pitch);
  const aboutZ = quaternionFromAxisAngle([0, 0, 1], yaw);
  return multiplyQuaternions(aboutZ, multiplyQuaternions(aboutY, aboutX));
}

/** Rotates a vector: q · v · q*. */
export function rotate([x, y, z, w]: Quaternion, [vx, vy, vz]: Vector3): Vector3 {
  const tx = 2 * (y * vz - z * vy);
  const ty = 2 * (z * vx - x * vz);
  const tz = 2 * (x * vy - y * vx);
  return [vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx];
}

export function matrixFromQuaternion([x, y, z, w]: Quaternion): Matrix3 {
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  ];
}

/** Shepperd's method: the branch with the largest divisor, so it is well conditioned for every rotation; w >= 0. */
export function quaternionFromMatrix(matrix: ArrayLike<number>, offset = 0): Quaternion {
  const at = (index: number) => matrix[offset + index]!;
  const [a, b, c] = [at(0), at(4), at(8)];
  const trace = a + b + c;
  let q: [number, number, number, number];
  if (trace >= a && trace >= b && trace >= c) {
    const s = 2 * Math.sqrt(Math.max(0, 1 + trace));
    q = [(at(7) - at(5)) / s, (at(2) - at(6)) / s, (at(3) - at(1)) / s, s / 4];
  } else if (a >= b && a >= c) {
    const s = 2 * Math.sqrt(Math.max(0, 1 + a - b - c));
    q = [s / 4, (at(1) + at(3)) / s, (at(2) + at(6)) / s, (at(7) - at(5)) / s];
  } else if (b >= c) {
    const s = 2 * Math.sqrt(Math.max(0, 1 + b - a - c));
    q = [(at(1) + at(3)) / s, s / 4, (at(5) + at(7)) / s, (at(2) - at(6)) / s];
  } else {
    const s = 2 * Math.sqrt(Math.max(0, 1 + c - a - b));
    q = [(at(2) + at(6)) / s, (at(5) + at(7)) / s, s / 4, (at(3) - at(1)) / s];
  }
  const sign = q[3] < 0 ? -1 : 1;
  return normaliseQuaternion([sign * q[0], sign * q[1], sign * q[2], sign * q[3]]);
}

/**
 * Rotation vector (axis times angle, radians) that turns `from` into `to`: the orientation error of inverse kinematics.
 */
export function rotationVectorBetween(from: Quaternion, to: Quaternion): Vector3 {
  const [x, y, z, w] = multiplyQuaternions(to, conjugate(from));
  const sine = Math.sqrt(x * x + y * y + z * z);
  if (sine < 1e-12) return [0, 0, 0];
  const sign = w < 0 ? -1 : 1;
  const scale = (sign * 2 * arcTangent2(sine, sign * w)) / sine;
  return [x * scale, y * scale, z * scale];
}

/** Orientation of a camera at `position` that looks at `target` (its -Z) with `up` towards the top of the picture. */
export function lookAt(position: Vector3, target: Vector3, up: Vector3 = [0, 0, 1]): Quaternion {
  const back = unit([position[0] - target[0], position[1] - target[1], position[2] - target[2]]);
  const right = unit(cross(up, back));
  const top = cross(back, right);
  return quaternionFromMatrix([right[0], top[0], back[0], right[1], top[1], back[1], right[2], top[2], back[2]]);
}

export function cross([ax, ay, az]: Vector3, [bx, by, bz]: Vector3): Vector3 {
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}

export function unit([x, y, z]: Vector3): Vector3 {
  const length = Math.sqrt(x * x + y * y + z * z);
  return [x / length, y / length, z / length];
}
