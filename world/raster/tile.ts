import { patternShare } from "../scene/pattern.ts";
import type { Texture } from "../scene/scene.ts";

/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { clz32, floor, log2 } = Math;

/** Texels along the side of a tile; a power of two. */
const tileTexels = 128;
const tileLevels = log2(tileTexels) + 1;

/** Where each level starts in a pyramid; level l has (tileTexels >> l)^2 texels. */
const levelStart = Int32Array.from({ length: tileLevels }, (_, level) => {
  let start = 0;
  for (let finer = 0; finer < level; finer++) start += (tileTexels >> finer) ** 2;
  return start;
});

/** A texture's tile at all resolutions, each level the 2x2 mean of the one before (mip map). */
export type TilePyramid = Float32Array;

/** Tiles by kind and seed. Every episode brings new seeds, so the oldest go. */
const knownTiles = new Map<string, TilePyramid>();
const mostTiles = 16;

/** The pyramid of a texture's pattern. Colours and repeat do not matter to it. */
export function tilePyramid({ kind, seed }: Texture): TilePyramid {
  const key = `${kind} ${seed}`;
  const known = knownTiles.get(key);
  if (known) return known;
  const pyramid = buildPyramid(kind, seed);
  knownTiles.set(key, pyramid);
  for (const oldest of knownTiles.keys()) {
    if (knownTiles.size <= mostTiles) break;
    knownTiles.delete(oldest);
  }
  return pyramid;
}

function buildPyramid(kind: Texture["kind"], seed: number): TilePyramid {
  const pyramid = new Float32Array(levelStart[tileLevels - 1]! + 1);
  for (let row = 0, at = 0; row < tileTexels; row++) {
    for (let column = 0; column < tileTexels; column++) {
      pyramid[at++] = patternShare(kind, (column + 0.5) / tileTexels, (row + 0.5) / tileTexels, seed);
    }
  }
  for (let level = 1; level < tileLevels; level++) {
    const side = tileTexels >> level;
    const finer = levelStart[level - 1]!;
    for (let row = 0, at = levelStart[level]!; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const from = finer + 4 * row * side + 2 * column;
        const sum = pyramid[from]! + pyramid[from + 1]! + pyramid[from + 2 * side]! + pyramid[from + 2 * side + 1]!;
        pyramid[at++] = sum / 4;
      }
    }
  }
  return pyramid;
}

/**
 * Share of the texture's own colour around a point, blended between the two levels that suit it.
 *
 * @param point u, v in tiles (any size), and the side of the seen area in tiles
 */
export function sampleTile(pyramid: TilePyramid, point: Float64Array): number {
  const texels = point[2]! * tileTexels;
  if (!(texels > 1)) return sampleLevel(pyramid, point, 0);
  const level = 31 - clz32(texels);
  if (level >= tileLevels - 1) return pyramid[pyramid.length - 1]!;
  const coarser = texels / (1 << level) - 1;
  const fine = sampleLevel(pyramid, point, level);
  return fine + coarser * (sampleLevel(pyramid, point, level + 1) - fine);
}

/** Bilinear. */
function sampleLevel(pyramid: TilePyramid, point: Float64Array, level: number): number {
  const side = tileTexels >> level;
  const mask = side - 1;
  const x = point[0]! * side - 0.5;
  const y = point[1]! * side - 0.5;
  const column = floor(x);
  const row = floor(y);
  const across = x - column;
  const down = y - row;
  const start = levelStart[level]!;
  const upper = start + (row & mask) * side;
  const lower = start + ((row + 1) & mask) * side;
  const left = column & mask;
  const right = (column + 1) & mask;
  const above = pyramid[upper + left]! + across * (pyramid[upper + right]! - pyramid[upper + left]!);
  const below = pyramid[lower + left]! + across * (pyramid[lower + right]! - pyramid[lower + left]!);
  return above + down * (below - above);
}
