/** @file The same cut-out of both frames of a pair: where something is on the picture must not tell what it does. */
import type { Rng } from "#core/rng.ts";

/** A square cut-out, pixels: `left` and `top` of its corner, which may lie between pixels, and its `side`. */
export type CutOut = { readonly left: number; readonly top: number; readonly side: number };

/** Side uniform in [1 - share, 1] of the picture's, place uniform within it. */
export function drawCutOut(rng: Rng, size: number, share: number): CutOut {
  const side = size * rng.uniform(1 - share, 1);
  return { side, left: rng.uniform(0, size - side), top: rng.uniform(0, size - side) };
}

/** Along one axis: for each of `count` pixels of the cut-out the neighbour below and the share of the one above. */
function sample(start: number, side: number, size: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const at = Math.min(size - 1, Math.max(0, start + ((index + 0.5) * side) / count - 0.5));
    const below = Math.min(size - 2, Math.floor(at));
    return { below, share: at - below };
  });
}

/**
 * A cut-out as `count` x `count` pixels, by bilinear interpolation between pixel centres.
 *
 * @param picture u8[size, size, 3]
 * @param write takes the value in [0, 255] of each pixel's channel; `place` is its row times `count` plus its column
 */
export function resample(
  picture: Uint8Array,
  size: number,
  { left, top, side }: CutOut,
  count: number,
  write: (place: number, channel: number, value: number) => void,
): void {
  const [columns, rows] = [sample(left, side, size, count), sample(top, side, size, count)];
  for (const [y, { below: row, share: down }] of rows.entries()) {
    for (const [x, { below: column, share: right }] of columns.entries()) {
      const from = (row * size + column) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const at = from + channel;
        const upper = picture[at]! * (1 - right) + picture[at + 3]! * right;
        const lower = picture[at + size * 3]! * (1 - right) + picture[at + size * 3 + 3]! * right;
        write(y * count + x, channel, upper * (1 - down) + lower * down);
      }
    }
  }
}

/**
 * Stretches a cut-out to the whole picture, in place, between pixels by bilinear interpolation.
 *
 * @param pixels u8[..., size, size, 3]; the picture starts at `offset`
 */
export function cropPicture(pixels: Uint8Array, offset: number, size: number, cutOut: CutOut): void {
  const whole = pixels.slice(offset, offset + size * size * 3);
  resample(whole, size, cutOut, size, (place, channel, value) => {
    pixels[offset + place * 3 + channel] = Math.round(value);
  });
}
