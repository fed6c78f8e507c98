import type { Geom, Scene } from "../scene/scene.ts";
import { linearFromSrgb } from "./colour.ts";
import {
  isRound,
  roundLevel,
  roundSides,
  type Shape,
  type Surface,
  shapeOf,
  surfaceKind,
  surfacesOf,
} from "./shape.ts";
import { type TilePyramid, tilePyramid } from "./tile.ts";

/** A scene laid out for drawing: everything that does not change between frames. */
export type RasterModel = {
  readonly scene: Scene;
  readonly parts: readonly GeomPart[];
  /** Per surface: its geom, its kind, and its normal (flat) or where its 18 numbers start in `smooth`. */
  readonly surfaceGeom: Int32Array;
  readonly surfaceKinds: Uint8Array;
  readonly surfaceNormals: Float64Array;
  readonly smoothStart: Int32Array;
  readonly smooth: Float64Array;
};

export type GeomPart = {
  readonly geom: Geom;
  readonly firstSurface: number;
  /** Radius of the ball around the geom's origin that holds it, metres. */
  readonly reachM: number;
  /** Linear colour of the material, and what the texture's full share adds to it. */
  readonly colour: readonly [number, number, number];
  readonly textureColour: readonly [number, number, number];
  readonly tile: TilePyramid | null;
  readonly castsShadow: boolean;
  /** Radius and half-length of round bodies, else 0. */
  readonly radiusM: number;
  readonly halfLengthM: number;
  /** Triangles that are fine enough for a radius of so many samples. */
  shape(radiusSamples: number): Shape;
};

/** Shapes of primitives by type, size and level; shared by all rasterisers of a thread. */
const knownShapes = new Map<string, Shape>();
const mostShapes = 512;

function knownShape(geom: Geom, scene: Scene, level: number): Shape {
  if (geom.type === "mesh") return shapeOf(geom, scene, 0);
  const key = `${geom.type} ${geom.size.join(" ")} ${level}`;
  let shape = knownShapes.get(key);
  if (!shape) {
    if (knownShapes.size >= mostShapes) knownShapes.clear();
    shape = shapeOf(geom, scene, level);
    knownShapes.set(key, shape);
  }
  return shape;
}

function createPart(geom: Geom, scene: Scene, firstSurface: number): GeomPart {
  const round = isRound(geom);
  const levels: (Shape | undefined)[] = roundSides.map(() => undefined);
  const shape = (radiusSamples: number) => {
    const level = round ? roundLevel(radiusSamples) : 0;
    levels[level] ??= knownShape(geom, scene, level);
    return levels[level]!;
  };
  const { rgba, texture } = geom.material;
  const colour = [linearFromSrgb(rgba[0]), linearFromSrgb(rgba[1]), linearFromSrgb(rgba[2])] as const;
  const other = texture ? texture.rgb.map(linearFromSrgb) : colour;
  return {
    geom,
    firstSurface,
    reachM: farthest(shape(0).positions),
    colour,
    textureColour: [other[0]! - colour[0], other[1]! - colour[1], other[2]! - colour[2]],
    tile: texture ? tilePyramid(texture) : null,
    castsShadow: geom.type !== "plane" && rgba[3] > 0,
    radiusM: round ? geom.size[0]! : 0,
    halfLengthM: geom.type === "capsule" || geom.type === "cylinder" ? geom.size[1]! : 0,
    shape,
  };
}

function farthest(positions: Float64Array): number {
  let squared = 0;
  for (let at = 0; at < positions.length; at += 3) {
    squared = Math.max(squared, positions[at]! ** 2 + positions[at + 1]! ** 2 + positions[at + 2]! ** 2);
  }
  return Math.sqrt(squared);
}

export function createRasterModel(scene: Scene): RasterModel {
  const parts: GeomPart[] = [];
  const surfaces: Surface[] = [];
  const surfaceGeoms: number[] = [];
  for (const [index, geom] of scene.geoms.entries()) {
    parts.push(createPart(geom, scene, surfaces.length));
    for (const surface of surfacesOf(geom, scene)) {
      surfaces.push(surface);
      surfaceGeoms.push(index);
    }
  }
  const surfaceNormals = new Float64Array(3 * surfaces.length);
  const smoothStart = new Int32Array(surfaces.length);
  const smooth: number[] = [];
  for (const [index, surface] of surfaces.entries()) {
    if (surface.kind === surfaceKind.flat) surfaceNormals.set(surface.normal, 3 * index);
    if (surface.kind === surfaceKind.smooth) {
      smoothStart[index] = smooth.length;
      for (const value of smoothTriangle(surface.corners, surface.normals)) smooth.push(value);
    }
  }
  return {
    scene,
    parts,
    surfaceGeom: Int32Array.from(surfaceGeoms),
    surfaceKinds: Uint8Array.from(surfaces, ({ kind }) => kind),
    surfaceNormals,
    smoothStart,
    smooth: Float64Array.from(smooth),
  };
}

/**
 * What interpolates normals over a triangle a, b, c: a, then U and V with u = (p - a)·U and v = (p - a)·V the weights of
 * b and c, then the normal at a and what b's and c's add to it.
 */
function smoothTriangle(corners: Float64Array, normals: Float64Array): number[] {
  const edge = (corner: number) => [0, 1, 2].map((axis) => corners[3 * corner + axis]! - corners[axis]!);
  const added = (corner: number) => [0, 1, 2].map((axis) => normals[3 * corner + axis]! - normals[axis]!);
  const [toB, toC] = [edge(1), edge(2)];
  const across = cross(toB, toC);
  const squared = across.reduce((sum, value) => sum + value * value, 0) || 1;
  const scaled = (vector: readonly number[]) => vector.map((value) => value / squared);
  return [
    ...corners.subarray(0, 3),
    ...scaled(cross(toC, across)),
    ...scaled(cross(across, toB)),
    ...normals.subarray(0, 3),
    ...added(1),
    ...added(2),
  ];
}

const cross = (a: readonly number[], b: readonly number[]) => [
  a[1]! * b[2]! - a[2]! * b[1]!,
  a[2]! * b[0]! - a[0]! * b[2]!,
  a[0]! * b[1]! - a[1]! * b[0]!,
];
