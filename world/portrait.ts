import type { Image } from "#core/contracts/image.ts";
import { lookAt, matrixFromQuaternion, unit, type Vector3 } from "#core/geometry/quaternion.ts";
import { tangent } from "#core/geometry/trigonometry.ts";
import { readModelFile } from "./physics/model-file.ts";
import { loadPhysics } from "./physics/mujoco.ts";
import { dressScene, type Geometry, readGeometry } from "./physics/read-scene.ts";
import { Simulation } from "./physics/simulation.ts";
import { createRasterizer } from "./raster/index.ts";
import type { ScenePose } from "./scene/scene.ts";

const fovyDeg = 38;
const fromDirection = unit([0.9, -1.1, 0.65]);

/** Centre and half the diagonal of the box around everything but planes, metres. */
function bounds({ geoms, meshes }: Geometry, pose: ScenePose): { centre: Vector3; radius: number } {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const include = (axis: number, from: number, to: number) => {
    low[axis] = Math.min(low[axis]!, from);
    high[axis] = Math.max(high[axis]!, to);
  };
  for (const [index, { type, size, mesh }] of geoms.entries()) {
    if (type === "plane") continue;
    const corners = meshes[mesh ?? ""]?.positions;
    for (const axis of [0, 1, 2]) {
      const at = pose.geomPositions[3 * index + axis]!;
      if (!corners) {
        const reach = size[0]! + (size[1] ?? 0);
        include(axis, at - reach, at + reach);
        continue;
      }
      const [x, y, z] = pose.geomRotations.subarray(9 * index + 3 * axis, 9 * index + 3 * axis + 3);
      for (let corner = 0; corner < corners.length; corner += 3) {
        const along = at + x! * corners[corner]! + y! * corners[corner + 1]! + z! * corners[corner + 2]!;
        include(axis, along, along);
      }
    }
  }
  const middle = (axis: number) => (low[axis]! + high[axis]!) / 2;
  const half = (axis: number) => (high[axis]! - low[axis]!) / 2;
  return {
    centre: [middle(0), middle(1), middle(2)],
    radius: Math.sqrt(half(0) ** 2 + half(1) ** 2 + half(2) ** 2),
  };
}

/**
 * A picture of any MJCF or URDF model in its first keyframe, or at zero when it has none. Image textures are not drawn.
 *
 * @throws ConfigError when the file or one that it names is missing or broken
 */
export async function drawModelFile(path: string, size: number): Promise<Image> {
  const mujoco = await loadPhysics();
  const simulation = new Simulation(mujoco, await readModelFile(path));
  try {
    simulation.resetToKeyframe();
    const geometry = readGeometry(mujoco, simulation.model);
    const pose = simulation.pose(geometry.geomIds);
    const { centre, radius } = bounds(geometry, pose);
    const distance = (1.05 * radius) / tangent((fovyDeg * Math.PI) / 360);
    const position: Vector3 = [
      centre[0] + distance * fromDirection[0],
      centre[1] + distance * fromDirection[1],
      centre[2] + distance * fromDirection[2],
    ];
    const dressed = dressScene(geometry, {
      materials: {},
      lights: [
        { direction: unit([-0.5, 0.3, -1]), intensity: 0.55, castsShadow: true },
        { direction: unit([0.8, 0.5, -0.6]), intensity: 0.12, castsShadow: false },
      ],
      ambient: 0.36,
      background: [0.82, 0.84, 0.87],
    });
    const scene = { ...dressed, cameras: [{ name: "portrait", fovyDeg }] };
    const rasterizer = createRasterizer(scene, { width: size, height: size, shadowMapSize: 1024 });
    const { rgb } = rasterizer.render({
      ...pose,
      cameraPositions: Float64Array.from(position),
      cameraRotations: Float64Array.from(matrixFromQuaternion(lookAt(position, centre))),
    });
    return { data: rgb.slice(), height: size, width: size };
  } finally {
    simulation.close();
  }
}
