import { Box3, Matrix4, Quaternion, Vector3 } from "three";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import type { Geom } from "#world/scene/scene.ts";
import { poseSize } from "../episode/poses.ts";

/** Where the interesting things are, metres. */
export type Extent = {
  /** Corners of all that should be in view, the middle of the box around them, and half its diagonal. */
  readonly points: readonly Vector3[];
  readonly centre: Vector3;
  readonly radius: number;
  /** Height of the lowest surface. */
  readonly floor: number;
  /** Share of a picture's height and width that it fills at first. */
  readonly fill: number;
};

/** Larger geoms of the world (walls, floors) are no reason to stand far away: half their diagonal, metres. */
const largestM = 1.2;

/** @param smallest least radius, metres */
function extentOf(points: readonly Vector3[], floor: number, smallest: number, fill: number): Extent {
  const box = new Box3().setFromPoints([...points]);
  const centre = box.isEmpty() ? new Vector3() : box.getCenter(new Vector3());
  const radius = box.isEmpty() ? 0 : box.min.distanceTo(box.max) / 2;
  const lowest = Math.min(floor, box.isEmpty() ? Number.POSITIVE_INFINITY : box.min.z);
  const padding = cornersOf(new Vector3().setScalar(smallest / Math.sqrt(3))).map((corner) => corner.add(centre));
  return {
    points: radius < smallest ? padding : points,
    centre,
    radius: Math.max(radius, smallest),
    floor: Number.isFinite(lowest) ? lowest : 0,
    fill,
  };
}

/** The corners of a box around the origin. */
function cornersOf({ x, y, z }: Vector3): Vector3[] {
  const signs = [-1, 1];
  return signs.flatMap((i) => signs.flatMap((j) => signs.map((k) => new Vector3(i * x, j * y, k * z))));
}

/** The extent of all points that are numbers: a bare path, with room around it. @param positions f32[N, 3] */
export function pathExtent(positions: Float32Array, smallest: number): Extent {
  const points = Array.from({ length: positions.length / 3 }, (_, index) =>
    new Vector3().fromArray(positions, 3 * index),
  );
  const real = points.filter((point) => Number.isFinite(point.lengthSq()));
  return extentOf(real, 0, smallest, 0.6);
}

/** Half the sides of the box around a geom in its own frame. */
function halfSides({ type, size: [a = 0, b = 0, c = 0], mesh }: Geom, { scene }: RolloutLog): Vector3 {
  switch (type) {
    case "plane":
      return new Vector3(a, b, 0);
    case "sphere":
      return new Vector3(a, a, a);
    case "capsule":
      return new Vector3(a, a, a + b);
    case "cylinder":
      return new Vector3(a, a, b);
    case "box":
      return new Vector3(a, b, c);
    case "mesh": {
      const sides = new Vector3();
      scene.meshes?.[mesh ?? ""]?.positions.forEach((value, index) => {
        sides.setComponent(index % 3, Math.max(sides.getComponent(index % 3), Math.abs(value)));
      });
      return sides;
    }
  }
}

/** Whether something else of the world than a plane is there to stand on. */
const hasTable = ({ scene }: RolloutLog) => scene.geoms.some((geom) => geom.body === 0 && geom.type !== "plane");

/** What a rollout shows at its start: what moves, and what of the world is not larger than a table. */
export function rolloutExtent(log: RolloutLog): Extent {
  const points: Vector3[] = [];
  const isOnTable = hasTable(log);
  let ground = Number.POSITIVE_INFINITY;
  log.scene.geoms.forEach((geom, index) => {
    const at = index * poseSize;
    const half = halfSides(geom, log);
    const position = new Vector3().fromArray(log.geomPoses, at);
    if (!Number.isFinite(position.lengthSq())) return;
    if (geom.type === "plane") {
      if (!isOnTable) ground = Math.min(ground, position.z);
      return;
    }
    if (geom.body === 0 && half.length() > largestM) return;
    const pose = new Matrix4().compose(
      position,
      new Quaternion().fromArray(log.geomPoses, at + 3),
      new Vector3(1, 1, 1),
    );
    points.push(...cornersOf(half).map((corner) => corner.applyMatrix4(pose)));
  });
  return extentOf(points, ground, 0.25, 0.9);
}

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

/** From the side of the given camera, turned a little for depth, never flatter than 25 or steeper than 40 degrees. */
export function outlookFrom(position: Vector3, centre: Vector3): Vector3 {
  const direction = position.clone().sub(centre);
  const flat = Math.hypot(direction.x, direction.y);
  const azimuth = (flat > 0.05 * direction.length() ? Math.atan2(direction.y, direction.x) : -Math.PI / 2) + 0.3;
  const elevation = Math.min(Math.max(Math.atan2(direction.z, flat), 0.44), 0.7);
  return new Vector3(
    Math.cos(azimuth) * Math.cos(elevation),
    Math.sin(azimuth) * Math.cos(elevation),
    Math.sin(elevation),
  );
}

/** Rounds of moving the aim to the middle of the picture; each leaves about a tenth of the error. */
const aimRounds = 4;

/**
 * Where a camera must stand and aim to have all points in its picture, as large and as central as they can be.
 *
 * @param outlook  unit vector from the aim to the camera, +Z up
 * @param tangents of half the angles of view, across and up
 */
export function fitView(
  { points, centre }: Extent,
  outlook: Vector3,
  tangents: readonly [number, number],
): { readonly aim: Vector3; readonly distance: number } {
  const right = new Vector3(0, 0, 1).cross(outlook).normalize();
  const up = outlook.clone().cross(right);
  const aim = centre.clone();
  let distance = 0;
  for (let round = 0; round < aimRounds; round++) {
    const seen = points.map((point) => point.clone().sub(aim));
    const needed = (point: Vector3) =>
      Math.max(Math.abs(point.dot(right)) / tangents[0], Math.abs(point.dot(up)) / tangents[1]) + point.dot(outlook);
    distance = Math.max(...seen.map(needed));
    if (round === aimRounds - 1) break;
    for (const axis of [right, up]) {
      const places = seen.map((point) => point.dot(axis) / Math.max(distance - point.dot(outlook), 0.01));
      aim.addScaledVector(axis, (distance * (Math.min(...places) + Math.max(...places))) / 2);
    }
  }
  return { aim, distance };
}
