/** @file Points and vectors on the table, metres. */
import { arcTangent2 } from "#core/geometry/trigonometry.ts";
import type { Point } from "../suite.ts";

export type { Point };

export const distance = (a: Point, b: Point) => Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2);
export const subtract = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1]];
export const dot = (a: Point, b: Point) => a[0] * b[0] + a[1] * b[1];

/** Where one gets from `from` by going `length` along a direction. */
export const along = (from: Point, direction: Point, length: number): Point => [
  from[0] + direction[0] * length,
  from[1] + direction[1] * length,
];

/** The vector at length 1; [1, 0] for one without direction. */
export function unit(vector: Point): Point {
  const length = Math.sqrt(dot(vector, vector));
  return length < 1e-9 ? [1, 0] : [vector[0] / length, vector[1] / length];
}

/** Turned by an angle given as [cosine, sine]. */
export const turned = ([x, y]: Point, [cosine, sine]: Point): Point => [x * cosine - y * sine, x * sine + y * cosine];

/** Angle between two vectors, radians in [0, pi]. */
export const angleBetween = (a: Point, b: Point): number => arcTangent2(Math.abs(a[0] * b[1] - a[1] * b[0]), dot(a, b));
