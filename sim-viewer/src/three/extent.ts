import { Vector3 } from "three";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { poseSize } from "../episode/poses.ts";
import { halfHeight } from "../episode/traces.ts";

/** Where the interesting things are, metres: their centre and radius, how far shadows reach, the lowest surface's height. */
export type Extent = {
  readonly centre: Vector3;
  readonly radius: number;
  readonly reach: number;
  readonly floor: number;
};

/** The ball around all points that are numbers. @param smallest least radius, metres */
export function extentOf(positions: ArrayLike<number>, floor: number, smallest: number): Extent {
  const [low, high] = [new Vector3(Infinity, Infinity, Infinity), new Vector3(-Infinity, -Infinity, -Infinity)];
  const point = new Vector3();
  for (let offset = 0; offset < positions.length; offset += 3) {
    point.fromArray(positions as number[], offset);
    if (!Number.isFinite(point.lengthSq())) continue;
    low.min(point);
    high.max(point);
  }
  if (low.x > high.x)
    return { centre: new Vector3(), radius: smallest, reach: 1, floor: Number.isFinite(floor) ? floor : 0 };
  const centre = low.clone().add(high).multiplyScalar(0.5);
  const radius = Math.max(low.distanceTo(high) / 2, smallest);
  return { centre, radius, reach: radius * 1.9, floor: Math.min(floor, low.z) };
}

/** What moves in a rollout, at its start; the world's own geoms only lend their floor. */
export function rolloutExtent(log: RolloutLog): Extent {
  let floor = Number.POSITIVE_INFINITY;
  let reach = 0;
  const points: number[] = [];
  log.scene.geoms.forEach((geom, index) => {
    const [x, y, z] = log.geomPoses.subarray(index * poseSize) as unknown as [number, number, number];
    if (geom.body !== 0) points.push(x, y, z);
    else if (geom.type !== "plane") reach = Math.max(reach, Math.hypot(...geom.size));
    if (geom.type !== "plane" || !hasTable(log)) floor = Math.min(floor, z - halfHeight(geom));
  });
  const extent = extentOf(points, floor, 0.25);
  return { ...extent, reach: Math.max(extent.radius * 1.9, Math.min(reach * 1.3, extent.radius * 5)) };
}

/** Whether something else of the world than a plane is there to stand on. */
const hasTable = ({ scene }: RolloutLog) => scene.geoms.some((geom) => geom.body === 0 && geom.type !== "plane");

/**
 * Geoms that the free view leaves out: under a table, the ground planes. The page's own dark floor takes their place at
 * the table's foot; the scene's cameras see the real ones.
 */
export function groundGeoms(log: RolloutLog): readonly number[] {
  if (!hasTable(log)) return [];
  return log.scene.geoms.flatMap(({ type, body, material }, index) =>
    type === "plane" && body === 0 && material.rgba[3] > 0 ? [index] : [],
  );
}

/** From the side of the given camera, but never flatter than 25 or steeper than 55 degrees. */
export function outlookFrom(position: Vector3, centre: Vector3): Vector3 {
  const direction = position.clone().sub(centre);
  const flat = Math.hypot(direction.x, direction.y);
  const azimuth = flat > 0.05 * direction.length() ? Math.atan2(direction.y, direction.x) : -Math.PI / 2;
  const elevation = Math.min(Math.max(Math.atan2(direction.z, flat), 0.44), 0.96);
  return new Vector3(
    Math.cos(azimuth) * Math.cos(elevation),
    Math.sin(azimuth) * Math.cos(elevation),
    Math.sin(elevation),
  );
}
