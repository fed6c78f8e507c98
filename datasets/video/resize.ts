import type { Image } from "#core/contracts/image.ts";

/** For one output pixel: first input pixel and the weights of it and its neighbours, sum 1. */
type Tap = { readonly start: number; readonly weights: readonly number[] };

/** Area coverage when pixels are taken together, linear interpolation when they are spread. */
function taps(from: number, to: number): Tap[] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, index) => {
    if (ratio >= 1) {
      const [low, high] = [index * ratio, (index + 1) * ratio];
      const start = Math.floor(low);
      const end = Math.min(from, Math.ceil(high - 1e-9));
      const weights = Array.from({ length: end - start }, (_, offset) => {
        const pixel = start + offset;
        return (Math.min(high, pixel + 1) - Math.max(low, pixel)) / ratio;
      });
      return { start, weights };
    }
    const centre = Math.min(Math.max((index + 0.5) * ratio - 0.5, 0), from - 1);
    const start = Math.min(Math.floor(centre), Math.max(0, from - 2));
    const share = centre - start;
    return { start, weights: from === 1 ? [1] : [1 - share, share] };
  });
}

/** Cuts the middle square out of a picture and scales it to `size`, as `decodeVideo` does for videos. */
export function middleSquare({ data, height, width }: Image, size: number): Image {
  const side = Math.min(height, width);
  const [top, left] = [Math.floor((height - side) / 2), Math.floor((width - side) / 2)];
  const along = taps(side, size);
  // Rows first: f32[side, size, 3].
  const rows = new Float32Array(side * size * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < size; x++) {
      const { start, weights } = along[x]!;
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let tap = 0; tap < weights.length; tap++) {
          sum += weights[tap]! * data[((top + y) * width + left + start + tap) * 3 + channel]!;
        }
        rows[(y * size + x) * 3 + channel] = sum;
      }
    }
  }
  const out = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const { start, weights } = along[y]!;
    for (let cell = 0; cell < size * 3; cell++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += weights[tap]! * rows[(start + tap) * size * 3 + cell]!;
      out[y * size * 3 + cell] = Math.round(sum);
    }
  }
  return { data: out, height: size, width: size };
}
