import { conjugate, type Quaternion, rotate } from "#core/geometry/quaternion.ts";

/** Nearest distance in front of a camera at which a point still has a place in its picture, metres. */
const nearM = 0.005;

/** A camera at one instant: `pose` is position xyz in metres and quaternion [x, y, z, w]; it looks along its -Z, +Y up. */
export type CameraView = {
  readonly pose: ArrayLike<number>;
  readonly fovyDeg: number;
  /** Width of the picture over its height. */
  readonly aspect: number;
};

/**
 * Projects world points into a camera's picture (pinhole, square pixels, principal point in the middle).
 *
 * @param points f32[N, 3] metres
 * @param count  N
 * @returns f32[N, 2] x to the right and y down, [0, 1] over the picture's width and height; NaN behind the camera
 */
export function projectPoints(points: ArrayLike<number>, count: number, camera: CameraView): Float32Array {
  const { pose, fovyDeg, aspect } = camera;
  const cameraFromWorld = conjugate([pose[3]!, pose[4]!, pose[5]!, pose[6]!] satisfies Quaternion);
  const tangent = Math.tan((fovyDeg * Math.PI) / 360);
  const projected = new Float32Array(count * 2);
  for (let point = 0; point < count; point++) {
    const offset = [0, 1, 2].map((axis) => points[3 * point + axis]! - pose[axis]!) as [number, number, number];
    const [x, y, z] = rotate(cameraFromWorld, offset);
    const isInFront = -z > nearM;
    projected[2 * point] = isInFront ? 0.5 + x / (-z * tangent * aspect) / 2 : Number.NaN;
    projected[2 * point + 1] = isInFront ? 0.5 - y / (-z * tangent) / 2 : Number.NaN;
  }
  return projected;
}
