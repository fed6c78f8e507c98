import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createRng } from "#core/rng.ts";
import { createSurfaceBuffer, fillTriangle } from "#world/raster/surface-buffer.ts";

const side = 24;

/** Draws triangles one by one, each into its own empty buffer, and counts how often each sample is hit. */
function coverage(triangles: readonly (readonly number[])[]): Uint8Array {
  const counts = new Uint8Array(side * side);
  for (const [index, triangle] of triangles.entries()) {
    const buffer = createSurfaceBuffer(side, side);
    buffer.surfaces.fill(-1);
    const points = Float64Array.from(
      [0, 1, 2].flatMap((corner) => [triangle[2 * corner]!, triangle[2 * corner + 1]!, 1]),
    );
    fillTriangle(buffer, index, points, 0, 3, 6);
    for (let at = 0; at < counts.length; at++) if (buffer.surfaces[at] === index) counts[at] = counts[at]! + 1;
  }
  return counts;
}

describe("fillTriangle", () => {
  it("fills the samples whose centres are inside", () => {
    // Right triangle with legs of 4: centres (x + 0.5, y + 0.5) with x + y + 1 < 4.
    const counts = coverage([[0, 0, 4, 0, 0, 4]]);
    const filled = [...counts.keys()].filter((at) => counts[at] === 1);
    expect(filled).toEqual([0, 1, 2, side, side + 1, 2 * side]);
  });

  it("neither misses nor doubles a sample between triangles that share edges", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        // A fan around an inner point, over a square that is larger than the picture.
        const rng = createRng(seed);
        const middle = [rng.uniform(4, 20), rng.uniform(4, 20)];
        const corners = [-3, -2, 27, -5, 30, 26, -4, 28].map((value) => value + rng.uniform(-1, 1));
        const triangles = [0, 1, 2, 3].map((corner) => {
          const next = (corner + 1) % 4;
          const ends = [corners[2 * corner]!, corners[2 * corner + 1]!, corners[2 * next]!, corners[2 * next + 1]!];
          return [...middle, ...ends];
        });
        expect(coverage(triangles).every((count) => count === 1)).toBe(true);
      }),
    );
  });

  it("keeps the nearest surface and interpolates its nearness", () => {
    const buffer = createSurfaceBuffer(4, 4);
    const flat = Float64Array.of(0, 0, 0.5, 8, 0, 0.5, 0, 8, 0.5);
    const slanted = Float64Array.of(0, 0, 0, 8, 0, 2, 0, 8, 0);
    fillTriangle(buffer, 1, flat, 0, 3, 6);
    fillTriangle(buffer, 2, slanted, 0, 3, 6);
    // Nearness of the second is x / 4: nearer than 0.5 from x = 2 on.
    expect([...buffer.surfaces.subarray(0, 4)]).toEqual([1, 1, 2, 2]);
    expect([...buffer.nearness.subarray(0, 4)]).toEqual([0.5, 0.5, 0.625, 0.875]);
  });

  it("draws nothing for triangles without area or with broken corners", () => {
    const counts = coverage([
      [1, 1, 5, 5, 9, 9],
      [Number.NaN, 1, 5, 5, 9, 1],
      [1, 1, 5, Number.POSITIVE_INFINITY, 9, 1],
    ]);
    expect(counts.every((count) => count === 0)).toBe(true);
  });
});
