/**
 * @file What procedural textures look like, as numbers: every renderer paints the same tile. A tile covers [0, 1) on both
 * axes and wraps, because all its noise is periodic. No engine-dependent arithmetic.
 */
import { cosine, sine } from "#core/geometry/trigonometry.ts";
import type { Texture } from "./scene.ts";

/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { floor, imul, PI } = Math;

/** Integer hash to [0, 1) (Wang-style mixing), one value per lattice point and seed. */
function lattice(x: number, y: number, seed: number): number {
  let value = imul(x, 0x27d4eb2d) ^ imul(y, 0x165667b1) ^ imul(seed, 0x9e3779b9);
  value = imul(value ^ (value >>> 15), 0x85ebca6b);
  value = imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 4294967296;
}

const smooth = (value: number) => value * value * (3 - 2 * value);

/** Value noise on a lattice of `cellsX` by `cellsY` that wraps at 1; `u`, `v` in [0, 1). */
function periodicNoise(u: number, v: number, cellsX: number, cellsY: number, seed: number): number {
  const x = u * cellsX;
  const y = v * cellsY;
  const left = floor(x);
  const top = floor(y);
  const across = smooth(x - left);
  const down = smooth(y - top);
  const right = (left + 1) % cellsX;
  const bottom = (top + 1) % cellsY;
  const upperLeft = lattice(left, top, seed);
  const lowerLeft = lattice(left, bottom, seed);
  const upper = upperLeft + across * (lattice(right, top, seed) - upperLeft);
  const lower = lowerLeft + across * (lattice(right, bottom, seed) - lowerLeft);
  return upper + down * (lower - upper);
}

/**
 * How much of the texture's own colour (over the material's) one point of the tile has.
 *
 * @param u, v in [0, 1), the place in the tile
 * @returns a share in [0, 1]
 */
export function patternShare(kind: Texture["kind"], u: number, v: number, seed: number): number {
  switch (kind) {
    case "checker":
      return u < 0.5 === v < 0.5 ? 1 : 0;
    case "noise":
      return 0.65 * periodicNoise(u, v, 8, 8, seed) + 0.35 * periodicNoise(u, v, 32, 32, seed + 1);
    case "cloth": {
      const weave = 0.5 + 0.25 * cosine(u * 64 * PI) + 0.25 * cosine(v * 64 * PI);
      return 0.6 * weave + 0.4 * periodicNoise(u, v, 6, 6, seed);
    }
    case "wood": {
      // Rings far from the pith: nearly straight lines along u, bent by slow noise; fine fibres on top.
      const bend = 0.55 * periodicNoise(u, v, 2, 5, seed) + 0.12 * periodicNoise(u, v, 6, 12, seed + 2);
      const ring = 0.5 + 0.5 * sine(2 * PI * (5 * v + 1.6 * bend));
      return 0.7 * ring + 0.3 * periodicNoise(u, v, 4, 128, seed + 3);
    }
  }
}
