import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { ShadowRoof } from "#world/raster/shadow-roof.ts";
import { createSurfaceBuffer, fillTriangle } from "#world/raster/surface-buffer.ts";

const side = 60;
const geoms = 5;

/** Random triangles of several geoms, also over the border, in a map and its roof; the geom is the surface. */
function drawn(seed: number) {
  const rng = createRng(`roof/${seed}`);
  const buffer = createSurfaceBuffer(side, side);
  buffer.nearness.fill(Number.NEGATIVE_INFINITY);
  buffer.surfaces.fill(-1);
  const roof = new ShadowRoof(side);
  roof.clear();
  for (let triangle = 0; triangle < 25; triangle++) {
    const geom = rng.integer(geoms);
    const corners = Float64Array.from({ length: 9 }, (_, index) =>
      index % 3 === 2 ? rng.uniform(-0.2, 0.3) : rng.uniform(-8, side + 8),
    );
    fillTriangle(buffer, geom, corners, 0, 3, 6);
    roof.raise(corners, 0, 3, 6, geom);
  }
  return { buffer, roof };
}

describe("ShadowRoof", () => {
  it("is nowhere lower than a texel or those around it, whichever geom does not count", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { buffer, roof } = drawn(seed);
      for (let row = 1; row < side - 1; row++) {
        for (let column = 1; column < side - 1; column++) {
          const at = row * side + column;
          const around = [-side - 1, -side, -side + 1, -1, 0, 1, side - 1, side, side + 1].map((step) => at + step);
          for (let except = -1; except < geoms; except++) {
            const seen = around.filter((texel) => buffer.surfaces[texel] !== except);
            const highest = Math.max(...seen.map((texel) => buffer.nearness[texel]!));
            if (roof.heightAt(column, row, except) < highest) throw new Error(`seed ${seed}: ${column}, ${row}`);
          }
        }
      }
    }
  });

  it("is low where nothing is, and where only the geom itself is", () => {
    const roof = new ShadowRoof(side);
    roof.clear();
    expect(roof.heightAt(30, 30, -1)).toBe(Number.NEGATIVE_INFINITY);
    roof.raise(Float64Array.of(0, 0, 0.1, 16, 0, 0.1, 0, 16, 0.2), 0, 3, 6, 7);
    expect(roof.heightAt(5, 5, -1)).toBeCloseTo(0.2, 4);
    expect(roof.heightAt(5, 5, 7)).toBe(Number.NEGATIVE_INFINITY);
    expect(roof.heightAt(40, 40, -1)).toBe(Number.NEGATIVE_INFINITY);
    roof.clear();
    expect(roof.heightAt(5, 5, -1)).toBe(Number.NEGATIVE_INFINITY);
  });
});
