import { unit, type Vector3 } from "#core/geometry/quaternion.ts";
import type { Mesh } from "#world/scene/scene.ts";

/** @file Meshes made in code: every triangle has its own three corners. */

/** A cube with flat normals. */
export function cubeMesh(half: number): Mesh {
  const corners: number[][] = [];
  const normals: number[][] = [];
  for (const axis of [0, 1, 2]) {
    for (const sign of [1, -1]) {
      const vector = (along: number, i: number, j: number) => {
        const point = [0, 0, 0];
        point[axis] = sign * along;
        point[(axis + 1) % 3] = sign * i;
        point[(axis + 2) % 3] = j;
        return point;
      };
      const quad = [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ].map(([i, j]) => vector(half, i! * half, j! * half));
      for (const index of [0, 1, 2, 0, 2, 3]) {
        corners.push(quad[index]!);
        normals.push(vector(1, 0, 0));
      }
    }
  }
  return fromCorners(corners, normals);
}

/** A ball: an octahedron with each face divided into `rows` rows, blown up, with the ball's normals at its corners. */
export function ballMesh(radius: number, rows = 16): Mesh {
  const corners: Vector3[] = [];
  for (const [x, y, z] of [1, -1].flatMap((x) => [1, -1].flatMap((y) => [1, -1].map((z) => [x, y, z] as const)))) {
    const at = (i: number, j: number): Vector3 => [x * i, y * j, z * (rows - i - j)];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; i + j < rows; j++) {
        const triangles = [[at(i, j), at(i + 1, j), at(i, j + 1)]];
        if (i + j + 2 <= rows) triangles.push([at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)]);
        for (const [a, b, c] of triangles) corners.push(a!, ...(x * y * z > 0 ? [b!, c!] : [c!, b!]));
      }
    }
  }
  const units = corners.map((corner) => unit(corner));
  return fromCorners(
    units.map(([x, y, z]) => [radius * x, radius * y, radius * z]),
    units,
  );
}

function fromCorners(corners: readonly (readonly number[])[], normals: readonly (readonly number[])[]): Mesh {
  return {
    positions: Float32Array.from(corners.flat()),
    normals: Float32Array.from(normals.flat()),
    indices: Uint32Array.from(corners, (_, index) => index),
  };
}
