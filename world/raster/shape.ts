/**
 * @file Geoms as triangles in their own frame. Triangles that one formula lights form a *surface*: a box has six, a
 * cylinder three, a sphere one; a mesh has one per flat facet and one per smooth triangle. Samples remember surfaces, not
 * triangles, so a round body is lit as if it were round however coarse its triangles are.
 */
import { sineCosine } from "#core/geometry/trigonometry.ts";
import type { Geom, Mesh, Scene } from "../scene/scene.ts";

/** How the normal follows from the place on the surface. */
export const surfaceKind = { flat: 0, capsule: 1, cylinderSide: 2, smooth: 3 } as const;

export type Surface =
  | { readonly kind: typeof surfaceKind.flat; readonly normal: readonly [number, number, number] }
  | { readonly kind: typeof surfaceKind.capsule | typeof surfaceKind.cylinderSide }
  /** Corners and their normals: 18 numbers. */
  | { readonly kind: typeof surfaceKind.smooth; readonly corners: Float64Array; readonly normals: Float64Array };

export type Shape = {
  /** f64[V, 3], metres in the geom's frame */
  readonly positions: Float64Array;
  /** u32[F, 3], counter-clockwise seen from outside */
  readonly triangles: Uint32Array;
  /** u32[F]: index into the geom's surfaces */
  readonly surfaces: Uint32Array;
};

/** Half the side of a plane that MuJoCo calls infinite (size 0), metres. */
const widePlaneM = 50;

/** Sides of a round body, from coarse to fine. */
export const roundSides = [8, 12, 16, 24, 36, 48] as const;

/** The coarsest level whose chords stay within a quarter sample of the circle: sides >= pi sqrt(2 radius). */
export function roundLevel(radiusSamples: number): number {
  let level = 0;
  while (level < roundSides.length - 1 && roundSides[level]! ** 2 < 2 * 9.87 * radiusSamples) level++;
  return level;
}

export const isRound = ({ type }: Geom) => type === "sphere" || type === "capsule" || type === "cylinder";

/** The surfaces of a geom; the same at every level of detail. @throws Error when the scene lacks the geom's mesh */
export function surfacesOf(geom: Geom, scene: Scene): readonly Surface[] {
  switch (geom.type) {
    case "plane":
      return [flat(0, 0, 1)];
    case "sphere":
    case "capsule":
      return [{ kind: surfaceKind.capsule }];
    case "cylinder":
      return [{ kind: surfaceKind.cylinderSide }, flat(0, 0, 1), flat(0, 0, -1)];
    case "box":
      return [flat(1, 0, 0), flat(-1, 0, 0), flat(0, 1, 0), flat(0, -1, 0), flat(0, 0, 1), flat(0, 0, -1)];
    case "mesh":
      return meshParts(findMesh(geom, scene)).surfaces;
  }
}

/** The triangles of a geom; round bodies at the given level of `roundSides`. */
export function shapeOf(geom: Geom, scene: Scene, level: number): Shape {
  const [a = 0, b = 0, c = 0] = geom.size;
  const sides = roundSides[level]!;
  switch (geom.type) {
    case "plane":
      return plane(a || widePlaneM, b || widePlaneM);
    case "sphere":
      return round(capsuleProfile(a, 0, sides), sides, () => 0);
    case "capsule":
      return round(capsuleProfile(a, b, sides), sides, () => 0);
    case "cylinder":
      return round(
        [
          [0, -b],
          [a, -b],
          [a, b],
          [0, b],
        ],
        sides,
        (band) => [2, 0, 1][band]!,
      );
    case "box":
      return box(a, b, c);
    case "mesh":
      return meshParts(findMesh(geom, scene)).shape;
  }
}

const flat = (x: number, y: number, z: number): Surface => ({ kind: surfaceKind.flat, normal: [x, y, z] });

function plane(x: number, y: number): Shape {
  return {
    positions: Float64Array.of(-x, -y, 0, x, -y, 0, x, y, 0, -x, y, 0),
    triangles: Uint32Array.of(0, 1, 2, 0, 2, 3),
    surfaces: Uint32Array.of(0, 0),
  };
}

function box(x: number, y: number, z: number): Shape {
  const positions: number[] = [];
  const triangles: number[] = [];
  const surfaces: number[] = [];
  const half = [x, y, z];
  for (let face = 0; face < 6; face++) {
    const axis = face >> 1;
    const sign = face % 2 === 0 ? 1 : -1;
    const first = positions.length / 3;
    for (const [i, j] of [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ] as const) {
      const corner = [0, 0, 0];
      corner[axis] = sign * half[axis]!;
      corner[(axis + 1) % 3] = sign * i * half[(axis + 1) % 3]!;
      corner[(axis + 2) % 3] = j * half[(axis + 2) % 3]!;
      positions.push(...corner);
    }
    triangles.push(first, first + 1, first + 2, first, first + 2, first + 3);
    surfaces.push(face, face);
  }
  return fromLists(positions, triangles, surfaces);
}

type Profile = readonly (readonly [radius: number, z: number])[];

function capsuleProfile(radius: number, halfLength: number, sides: number): Profile {
  const rings = sides / 4;
  const lower: [number, number][] = [];
  const upper: [number, number][] = [];
  for (let ring = 0; ring <= rings; ring++) {
    const [sine, cosine] = sineCosine(((Math.PI / 2) * ring) / rings);
    const around = ring === rings ? 0 : radius * cosine;
    lower.unshift([around, -halfLength - radius * sine]);
    upper.push([around, halfLength + radius * sine]);
  }
  return halfLength === 0 ? [...lower, ...upper.slice(1)] : [...lower, ...upper];
}

/** Turns a profile about Z. Ends on the axis are single points. */
function round(profile: Profile, sides: number, surfaceOfBand: (band: number) => number): Shape {
  const positions: number[] = [];
  const triangles: number[] = [];
  const surfaces: number[] = [];
  const rowStart = profile.map(([radius, z]) => {
    const first = positions.length / 3;
    if (radius === 0) positions.push(0, 0, z);
    for (let side = 0; side < sides && radius > 0; side++) {
      const [sine, cosine] = sineCosine((2 * Math.PI * side) / sides);
      positions.push(radius * cosine, radius * sine, z);
    }
    return first;
  });
  for (let band = 0; band + 1 < profile.length; band++) {
    const [low, high] = [rowStart[band]!, rowStart[band + 1]!];
    for (let side = 0; side < sides; side++) {
      const next = (side + 1) % sides;
      const isLowPoint = profile[band]![0] === 0;
      const isHighPoint = profile[band + 1]![0] === 0;
      if (!isLowPoint) {
        triangles.push(low + side, low + next, isHighPoint ? high : high + next);
        surfaces.push(surfaceOfBand(band));
      }
      if (!isHighPoint) {
        triangles.push(isLowPoint ? low : low + side, high + next, high + side);
        surfaces.push(surfaceOfBand(band));
      }
    }
  }
  return fromLists(positions, triangles, surfaces);
}

function fromLists(positions: readonly number[], triangles: readonly number[], surfaces: readonly number[]): Shape {
  return {
    positions: Float64Array.from(positions),
    triangles: Uint32Array.from(triangles),
    surfaces: Uint32Array.from(surfaces),
  };
}

function findMesh({ name, mesh }: Geom, scene: Scene): Mesh {
  const found = scene.meshes?.[mesh ?? ""];
  if (!found) throw new Error(`geom "${name}" names the mesh "${mesh}", which the scene does not hold`);
  return found;
}

type MeshParts = { readonly shape: Shape; readonly surfaces: readonly Surface[] };

const knownMeshes = new WeakMap<Mesh, MeshParts>();

/** Sorts a mesh's triangles into flat facets (all corners have one normal) and smooth triangles. */
function meshParts(mesh: Mesh): MeshParts {
  const known = knownMeshes.get(mesh);
  if (known) return known;
  const surfaces: Surface[] = [];
  const facets = new Map<string, number>();
  const { positions, normals, indices } = mesh;
  const triangleSurfaces = new Uint32Array(indices.length / 3);
  for (let triangle = 0; triangle < triangleSurfaces.length; triangle++) {
    const corners = new Float64Array(9);
    const cornerNormals = new Float64Array(9);
    for (let corner = 0; corner < 3; corner++) {
      const vertex = 3 * indices[3 * triangle + corner]!;
      corners.set(positions.subarray(vertex, vertex + 3), 3 * corner);
      cornerNormals.set(normals.subarray(vertex, vertex + 3), 3 * corner);
    }
    const [x, y, z] = [cornerNormals[0]!, cornerNormals[1]!, cornerNormals[2]!];
    const isFlat = cornerNormals.every((value, index) => Math.abs(value - cornerNormals[index % 3]!) < 1e-5);
    const key = isFlat ? [x, y, z].map((value) => Math.round(4096 * value)).join(" ") : "";
    const facet = facets.get(key);
    if (facet !== undefined) {
      triangleSurfaces[triangle] = facet;
      continue;
    }
    if (isFlat) facets.set(key, surfaces.length);
    triangleSurfaces[triangle] = surfaces.length;
    surfaces.push(isFlat ? flat(x, y, z) : { kind: surfaceKind.smooth, corners, normals: cornerNormals });
  }
  const shape = { positions: Float64Array.from(positions), triangles: indices, surfaces: triangleSurfaces };
  const parts = { shape, surfaces };
  knownMeshes.set(mesh, parts);
  return parts;
}
