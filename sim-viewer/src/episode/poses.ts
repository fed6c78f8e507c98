/** @file Reading and interpolating the packed poses of a rollout: seven numbers each, position then quaternion. */

/** Numbers per pose: position xyz in metres, quaternion [x, y, z, w]. */
export const poseSize = 7;

/** Where between two frames an instant lies: `frame` in [0, T), `fraction` in [0, 1) towards the next frame. */
export type FrameTime = { readonly frame: number; readonly fraction: number };

/**
 * Interpolates all poses of one instant: linear in position, shortest-arc normalised linear in rotation (the angle
 * between two control ticks is small, where it differs from slerp by less than a pixel).
 *
 * @param poses f32[T, count, 7]
 * @param out   f32[count, 7], written in place
 */
export function samplePoses(poses: Float32Array, count: number, at: FrameTime, out: Float32Array): void {
  const stride = count * poseSize;
  const lastFrame = poses.length / stride - 1;
  const first = Math.min(at.frame, lastFrame) * stride;
  const second = Math.min(at.frame + 1, lastFrame) * stride;
  for (let item = 0; item < stride; item += poseSize) {
    samplePose(poses, first + item, second + item, at.fraction, out, item);
  }
}

function samplePose(
  poses: Float32Array,
  from: number,
  to: number,
  fraction: number,
  out: Float32Array,
  target: number,
): void {
  let dot = 0;
  for (let axis = 0; axis < 3; axis++) {
    const start = poses[from + axis]!;
    out[target + axis] = start + fraction * (poses[to + axis]! - start);
  }
  for (let axis = 3; axis < poseSize; axis++) dot += poses[from + axis]! * poses[to + axis]!;
  // A quaternion and its negative are one rotation: take the sign that lies on the short way.
  const sign = dot < 0 ? -1 : 1;
  let norm = 0;
  for (let axis = 3; axis < poseSize; axis++) {
    const value = (1 - fraction) * poses[from + axis]! + fraction * sign * poses[to + axis]!;
    out[target + axis] = value;
    norm += value * value;
  }
  const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0;
  for (let axis = 3; axis < poseSize; axis++) out[target + axis] = out[target + axis]! * scale;
  if (scale === 0) out[target + 6] = 1;
}

/**
 * Picks one geom's positions out of all poses.
 *
 * @returns f32[T, 3] metres
 */
export function positionsOf(poses: Float32Array, count: number, item: number): Float32Array {
  const frames = count === 0 ? 0 : poses.length / (count * poseSize);
  const positions = new Float32Array(frames * 3);
  for (let frame = 0; frame < frames; frame++) {
    const source = (frame * count + item) * poseSize;
    positions.set(poses.subarray(source, source + 3), frame * 3);
  }
  return positions;
}
