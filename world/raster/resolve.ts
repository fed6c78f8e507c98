import { srgbBytes, srgbSteps } from "./colour.ts";
import type { Shading } from "./shading.ts";
import type { SurfaceBuffer } from "./surface-buffer.ts";

/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { min } = Math;

/** One rendered picture; the arrays are the rasteriser's own and hold until the next `render`. */
export type Frame = {
  /** u8[H, W, 3] sRGB */
  readonly rgb: Uint8Array;
  /** f32[H, W] distance along the camera's axis, metres; Infinity where nothing is. */
  readonly depth: Float32Array;
  /** i32[H, W] index into `scene.geoms`; -1 where nothing is. */
  readonly segmentation: Int32Array;
};

/** Turns the surfaces of a buffer into a picture. */
export class Resolve {
  private readonly buffer: SurfaceBuffer;
  private readonly frame: Frame;
  private readonly shading: Shading;
  private readonly surfaceGeom: Int32Array;
  /** Linear. */
  private readonly background: Float64Array;
  private readonly mixed = new Float64Array(3);

  constructor(
    buffer: SurfaceBuffer,
    frame: Frame,
    shading: Shading,
    surfaceGeom: Int32Array,
    background: readonly [number, number, number],
  ) {
    this.buffer = buffer;
    this.frame = frame;
    this.shading = shading;
    this.surfaceGeom = surfaceGeom;
    this.background = Float64Array.from(background);
  }

  /** Lights every sample; pixels are samples. */
  one(): void {
    const { width, height, nearness, surfaces } = this.buffer;
    const { input } = this.shading;
    for (let row = 0, pixel = 0; row < height; row++) {
      for (let column = 0; column < width; column++, pixel++) {
        input[0] = column + 0.5;
        input[1] = row + 0.5;
        input[2] = nearness[pixel]!;
        this.plainPixel(pixel, surfaces[pixel]!);
      }
    }
  }

  /** Lights each pixel of 2x2 samples once per surface in it, in the middle of that surface's samples. */
  four(): void {
    const { width, height, nearness, surfaces } = this.buffer;
    const { input } = this.shading;
    for (let row = 0, pixel = 0; row < height; row += 2) {
      for (let column = 0; column < width; column += 2, pixel++) {
        const upper = row * width + column;
        const lower = upper + width;
        const surface = surfaces[upper]!;
        if (surface === surfaces[upper + 1]! && surface === surfaces[lower]! && surface === surfaces[lower + 1]!) {
          input[0] = column + 1;
          input[1] = row + 1;
          input[2] = (nearness[upper]! + nearness[upper + 1]! + nearness[lower]! + nearness[lower + 1]!) / 4;
          this.plainPixel(pixel, surface);
        } else {
          this.mixColours(pixel, column, row);
          this.pickGeom(pixel, upper);
        }
      }
    }
  }

  /** A pixel of one surface, whose place is in the shading's input. */
  private plainPixel(pixel: number, surface: number): void {
    const { frame, shading } = this;
    if (surface < 0) {
      writeColour(frame.rgb, pixel, this.background);
      frame.depth[pixel] = Number.POSITIVE_INFINITY;
      frame.segmentation[pixel] = -1;
      return;
    }
    shading.shade(surface);
    writeColour(frame.rgb, pixel, shading.output);
    frame.depth[pixel] = 1 / shading.input[2]!;
    frame.segmentation[pixel] = this.surfaceGeom[surface]!;
  }

  private mixColours(pixel: number, column: number, row: number): void {
    const { buffer, shading, mixed, background } = this;
    mixed.fill(0);
    for (let sample = 0; sample < 4; sample++) {
      const count = this.gather(sample, column, row);
      if (count === 0) continue;
      const surface = buffer.surfaces[(row + (sample >> 1)) * buffer.width + column + (sample & 1)]!;
      if (surface >= 0) shading.shade(surface);
      const colour = surface >= 0 ? shading.output : background;
      for (let channel = 0; channel < 3; channel++) {
        mixed[channel] = mixed[channel]! + (count / 4) * min(1, colour[channel]!);
      }
    }
    writeColour(this.frame.rgb, pixel, mixed);
  }

  /** Puts the middle of the samples that show what `sample` shows into the input. @returns their number; 0 when an earlier sample had them */
  private gather(sample: number, column: number, row: number): number {
    const { nearness, surfaces, width } = this.buffer;
    const { input } = this.shading;
    const first = row * width + column;
    const surface = surfaces[first + (sample & 1) + (sample >> 1) * width]!;
    let [x, y, near, count] = [0, 0, 0, 0];
    for (let other = 0; other < 4; other++) {
      const at = first + (other & 1) + (other >> 1) * width;
      if (surfaces[at]! !== surface) continue;
      if (other < sample) return 0;
      x += other & 1;
      y += other >> 1;
      near += nearness[at]!;
      count += 1;
    }
    input[0] = column + 0.5 + x / count;
    input[1] = row + 0.5 + y / count;
    input[2] = near / count;
    return count;
  }

  /**
   * Depth and segmentation of a pixel that shows several things: those of the geom with most samples, the nearest of
   * equals. Means over an outline would be places where nothing is.
   */
  private pickGeom(pixel: number, first: number): void {
    const { buffer, surfaceGeom, frame } = this;
    const { nearness, surfaces, width } = buffer;
    let [best, bestCount, bestNearness] = [-1, 0, 0];
    for (let sample = 0; sample < 4; sample++) {
      const surface = surfaces[first + (sample & 1) + (sample >> 1) * width]!;
      const geom = surface < 0 ? -1 : surfaceGeom[surface]!;
      let [near, count] = [0, 0];
      for (let other = 0; other < 4; other++) {
        const at = first + (other & 1) + (other >> 1) * width;
        const otherSurface = surfaces[at]!;
        if ((otherSurface < 0 ? -1 : surfaceGeom[otherSurface]!) !== geom) continue;
        near += nearness[at]!;
        count += 1;
      }
      if (count < bestCount || (count === bestCount && near / count <= bestNearness)) continue;
      [best, bestCount, bestNearness] = [geom, count, near / count];
    }
    frame.depth[pixel] = best < 0 ? Number.POSITIVE_INFINITY : 1 / bestNearness;
    frame.segmentation[pixel] = best;
  }
}

function writeColour(rgb: Uint8Array, pixel: number, linear: Float64Array): void {
  for (let channel = 0; channel < 3; channel++) {
    const value = linear[channel]!;
    rgb[3 * pixel + channel] = srgbBytes[value < 1 ? (value * srgbSteps + 0.5) | 0 : srgbSteps]!;
  }
}
