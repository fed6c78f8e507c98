import type { Image } from "#core/contracts/image.ts";
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

/** Pictures of a logged rollout as its first camera saw it, u8[size, size, 3] for each of `frames`. */
export function renderRollout(log: RolloutLog, frames: readonly number[], size: number): Image[] {
  const rasterizer = createRasterizer(log.scene, { width: size, height: size });
  return frames.map((frame) => {
    const geoms = unpack(log.geomPoses, frame, log.scene.geoms.length);
    const cameras = unpack(log.cameraPoses, frame, log.scene.cameras.length);
    const pose: ScenePose = {
      geomPositions: geoms.positions,
      geomRotations: geoms.rotations,
      cameraPositions: cameras.positions,
      cameraRotations: cameras.rotations,
    };
    return { data: rasterizer.render(pose, 0).rgb.slice(), height: size, width: size };
  });
}
