import { DataTexture, LinearFilter, LinearMipmapLinearFilter, RepeatWrapping, SRGBColorSpace } from "three";
import { patternShare } from "#world/scene/pattern.ts";
import type { Material, Texture } from "#world/scene/scene.ts";

const tilePx = 256;

/** Paints one tile of a material's pattern, the same that the cameras' rasteriser has, to repeat per unit of UV. */
export function paintTexture({ rgba }: Material, { kind, rgb, seed, repeat }: Texture): DataTexture {
  const data = new Uint8Array(4 * tilePx * tilePx);
  for (let row = 0; row < tilePx; row++) {
    for (let column = 0; column < tilePx; column++) {
      const share = patternShare(kind, (column + 0.5) / tilePx, (row + 0.5) / tilePx, seed);
      const offset = (row * tilePx + column) * 4;
      for (let channel = 0; channel < 3; channel++) {
        data[offset + channel] = Math.round(255 * (rgba[channel]! + share * (rgb[channel]! - rgba[channel]!)));
      }
      data[offset + 3] = 255;
    }
  }
  const painted = new DataTexture(data, tilePx, tilePx);
  painted.wrapS = painted.wrapT = RepeatWrapping;
  painted.repeat.set(repeat, repeat);
  painted.colorSpace = SRGBColorSpace;
  painted.magFilter = LinearFilter;
  painted.minFilter = LinearMipmapLinearFilter;
  painted.generateMipmaps = true;
  painted.anisotropy = 8;
  painted.needsUpdate = true;
  return painted;
}
