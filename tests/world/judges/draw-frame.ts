import { matrixFromQuaternion } from "#core/geometry/quaternion.ts";
import type { createRasterizer } from "#world/raster/index.ts";
import type { RolloutLog } from "#world/scene/rollout-log.ts";

/** Digests of what the rasteriser draws of one frame. */
export type DrawnFrame = { readonly rgb: string; readonly depth: string; readonly segmentation: string };

/** Draws a logged frame as its first camera saw it. */
export function drawFrame(
  create: typeof createRasterizer,
  log: RolloutLog,
  frame: number,
  digest: (bytes: Uint8Array) => string,
): DrawnFrame {
  const unpack = (poses: Float32Array, count: number) => {
    const at = Array.from({ length: count }, (_, index) => poses.subarray(7 * (frame * count + index)));
    return {
      positions: Float64Array.from(at.flatMap((pose) => [...pose.subarray(0, 3)])),
      rotations: Float64Array.from(
        at.flatMap((pose) => [...matrixFromQuaternion([pose[3]!, pose[4]!, pose[5]!, pose[6]!])]),
      ),
    };
  };
  const geoms = unpack(log.geomPoses, log.scene.geoms.length);
  const cameras = unpack(log.cameraPoses, log.scene.cameras.length);
  const { rgb, depth, segmentation } = create(log.scene, { width: 96, height: 96 }).render({
    geomPositions: geoms.positions,
    geomRotations: geoms.rotations,
    cameraPositions: cameras.positions,
    cameraRotations: cameras.rotations,
  });
  const bytes = ({ buffer }: Float32Array | Int32Array) => new Uint8Array(buffer as ArrayBuffer);
  return { rgb: digest(rgb), depth: digest(bytes(depth)), segmentation: digest(bytes(segmentation)) };
}
