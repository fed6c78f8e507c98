import { CanvasTexture, RepeatWrapping, SRGBColorSpace } from "three";
import type { Material, Texture } from "#world/scene/scene.ts";

/**
 * @file Procedural surfaces painted into one tile: the same kinds and seeds as the camera rasteriser's, so that a table
 * looks alike in both. The tile wraps: all noise is periodic.
 */

const tilePx = 256;

/** Integer hash to [0, 1) (Wang-style mixing), one value per lattice point and seed. */
function lattice(x: number, y: number, seed: number): number {
  let value = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b9);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 4294967296;
}

const smooth = (value: number) => value * value * (3 - 2 * value);

/** Value noise on a lattice of `cellsX` by `cellsY` that wraps at 1; `u`, `v` in [0, 1). */
function periodicNoise(u: number, v: number, cellsX: number, cellsY: number, seed: number): number {
  const x = u * cellsX;
  const y = v * cellsY;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [across, down] = [smooth(x - left), smooth(y - top)];
  const at = (column: number, row: number) => lattice((left + column) % cellsX, (top + row) % cellsY, seed);
  const upper = at(0, 0) + across * (at(1, 0) - at(0, 0));
  const lower = at(0, 1) + across * (at(1, 1) - at(0, 1));
  return upper + down * (lower - upper);
}

/** How much of the texture's own colour (over the material's) one point of the tile has, in [0, 1]. */
function pattern(kind: Texture["kind"], u: number, v: number, seed: number): number {
  switch (kind) {
    case "checker":
      return u < 0.5 === v < 0.5 ? 1 : 0;
    case "noise":
      return 0.65 * periodicNoise(u, v, 8, 8, seed) + 0.35 * periodicNoise(u, v, 32, 32, seed + 1);
    case "cloth": {
      const weave = 0.5 + 0.25 * Math.cos(u * 64 * Math.PI) + 0.25 * Math.cos(v * 64 * Math.PI);
      return 0.6 * weave + 0.4 * periodicNoise(u, v, 6, 6, seed);
    }
    case "wood": {
      // Rings far from the pith: nearly straight lines along u, bent by slow noise; fine fibres on top.
      const bend = 0.55 * periodicNoise(u, v, 2, 5, seed) + 0.12 * periodicNoise(u, v, 6, 12, seed + 2);
      const ring = 0.5 + 0.5 * Math.sin(2 * Math.PI * (5 * v + 1.6 * bend));
      return 0.7 * ring + 0.3 * periodicNoise(u, v, 4, 128, seed + 3);
    }
  }
}

/** Paints one tile and makes it repeat once per tile of UV space. */
export function paintTexture({ rgba, texture }: Material): CanvasTexture {
  const { kind, rgb, seed } = texture!;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = tilePx;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(tilePx, tilePx);
  for (let row = 0; row < tilePx; row++) {
    for (let column = 0; column < tilePx; column++) {
      const share = pattern(kind, column / tilePx, row / tilePx, seed);
      const offset = (row * tilePx + column) * 4;
      for (let channel = 0; channel < 3; channel++) {
        image.data[offset + channel] = 255 * (rgba[channel]! + share * (rgb[channel]! - rgba[channel]!));
      }
      image.data[offset + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  const painted = new CanvasTexture(canvas);
  painted.wrapS = painted.wrapT = RepeatWrapping;
  painted.colorSpace = SRGBColorSpace;
  painted.anisotropy = 8;
  return painted;
}
