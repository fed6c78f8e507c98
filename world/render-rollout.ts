import type { Image } from "#core/contracts/image.ts";
import { ConfigError } from "#core/errors.ts";
import { matrixFromQuaternion } from "#core/geometry/quaternion.ts";
import { createRasterizer } from "./raster/index.ts";
import type { RolloutLog } from "./scene/rollout-log.ts";
import type { ScenePose } from "./scene/scene.ts";

const poseSize = 7;

/** Positions and rotations of `count` things at one frame of f32[T, count, 7]. */
function unpack(poses: Float32Array, frame: number, count: number) {
  const positions = new Float64Array(3 * count);
  const rotations = new Float64Array(9 * count);
  for (let index = 0; index < count; index++) {
    const at = (frame * count + index) * poseSize;
    positions.set(poses.subarray(at, at + 3), 3 * index);
    const [x, y, z, w] = poses.subarray(at + 3, at + 7);
    rotations.set(matrixFromQuaternion([x!, y!, z!, w!]), 9 * index);
  }
  return { positions, rotations };
}

export type RolloutView = {
  /** Side of the pictures, pixels. */
  readonly size: number;
  /** Default: the scene's first. */
  readonly camera?: string;
  /** Side of the shadow map, texels; default 256. */
  readonly shadowMapSize?: number;
};

/**
 * Looks at a logged rollout. @returns the picture u8[size, size, 3] of a frame
 * @throws ConfigError when the scene has no such camera
 */
export function rolloutPainter(log: RolloutLog, { size, camera, ...quality }: RolloutView): (frame: number) => Image {
  const { scene } = log;
  const index = camera === undefined ? 0 : scene.cameras.findIndex(({ name }) => name === camera);
  if (index < 0) {
    const known = scene.cameras.map(({ name }) => name).join(", ");
    throw new ConfigError(`camera: must be one of ${known}, got "${camera}". Choose one.`);
  }
  const rasterizer = createRasterizer(scene, { ...quality, width: size, height: size });
  return (frame) => {
    const geoms = unpack(log.geomPoses, frame, scene.geoms.length);
    const cameras = unpack(log.cameraPoses, frame, scene.cameras.length);
    const pose: ScenePose = {
      geomPositions: geoms.positions,
      geomRotations: geoms.rotations,
      cameraPositions: cameras.positions,
      cameraRotations: cameras.rotations,
    };
    return { data: rasterizer.render(pose, index).rgb.slice(), height: size, width: size };
  };
}

/** Pictures of a logged rollout as its first camera saw it, u8[size, size, 3] for each of `frames`. */
export const renderRollout = (log: RolloutLog, frames: readonly number[], size: number): Image[] =>
  frames.map(rolloutPainter(log, { size }));
