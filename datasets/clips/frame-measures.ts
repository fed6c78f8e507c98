/** @file What is measured of every frame to judge a clip: colours against the frame before, motion, sharpness. */

const { abs, floor, max, min } = Math;

/** HSV of one picture, channel after channel, in OpenCV's ranges: hue [0, 180), saturation and value [0, 255]. */
export function toHsv(rgb: Uint8Array): Float32Array {
  const pixels = rgb.length / 3;
  const hsv = new Float32Array(rgb.length);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const [red, green, blue] = [rgb[pixel * 3]!, rgb[pixel * 3 + 1]!, rgb[pixel * 3 + 2]!];
    const value = max(red, green, blue);
    const range = value - min(red, green, blue);
    let hue = 0;
    if (range > 0) {
      if (value === red) hue = (30 * (green - blue)) / range;
      else if (value === green) hue = 60 + (30 * (blue - red)) / range;
      else hue = 120 + (30 * (red - green)) / range;
    }
    hsv[pixel] = hue < 0 ? hue + 180 : hue;
    hsv[pixels + pixel] = value === 0 ? 0 : (255 * range) / value;
    hsv[2 * pixels + pixel] = value;
  }
  return hsv;
}

/** Mean absolute difference of all three channels: the score of PySceneDetect's ContentDetector with its weights. */
export function contentChange(before: Float32Array, after: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < before.length; index++) sum += abs(before[index]! - after[index]!);
  return sum / before.length;
}

/** Grey levels, f32[size, size], BT.601. */
export function toGrey(rgb: Uint8Array): Float32Array {
  return Float32Array.from({ length: rgb.length / 3 }, (_, pixel) => {
    return 0.299 * rgb[pixel * 3]! + 0.587 * rgb[pixel * 3 + 1]! + 0.114 * rgb[pixel * 3 + 2]!;
  });
}

/** Variance of the Laplacian: the smaller, the more blurred (Pech-Pacheco et al. 2000). */
export function sharpness(grey: Float32Array, size: number): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1; x < size - 1; x++) {
      const at = y * size + x;
      const laplacian = grey[at - 1]! + grey[at + 1]! + grey[at - size]! + grey[at + size]! - 4 * grey[at]!;
      sum += laplacian;
      squares += laplacian * laplacian;
      count++;
    }
  }
  return squares / count - (sum / count) ** 2;
}

/** Mean absolute difference of two pictures where the second is moved by (dx, dy), over what both show. */
function shiftedDifference(before: Float32Array, after: Float32Array, size: number, dx: number, dy: number): number {
  let [sum, count] = [0, 0];
  for (let y = max(0, -dy); y < min(size, size - dy); y++) {
    for (let x = max(0, -dx); x < min(size, size - dx); x++) {
      sum += abs(before[y * size + x]! - after[(y + dy) * size + x + dx]!);
      count++;
    }
  }
  return sum / count;
}

export type Motion = {
  /** Mean absolute difference of the block that changed most, an eighth of the side, grey levels. */
  readonly peak: number;
  /** Mean absolute difference of the whole picture. */
  readonly total: number;
  /** What is left of it after the best shift of the whole picture: motion inside of the scene. */
  readonly own: number;
};

/** Splits motion into the camera's and the scene's: every shift up to an eighth of the picture is tried. */
export function motionBetween(before: Float32Array, after: Float32Array, size: number): Motion {
  const reach = floor(size / 8);
  const total = shiftedDifference(before, after, size, 0, 0);
  let own = total;
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) own = min(own, shiftedDifference(before, after, size, dx, dy));
  }
  return { peak: peakDifference(before, after, size), total, own };
}

/** Mean absolute difference of the block (of 8 x 8) in which two pictures differ most: a hand that moves, not noise. */
export function peakDifference(before: Float32Array, after: Float32Array, size: number): number {
  const side = size / 8;
  const blocks = new Float64Array(64);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      blocks[floor(y / side) * 8 + floor(x / side)]! += abs(before[y * size + x]! - after[y * size + x]!);
    }
  }
  return max(...blocks) / (side * side);
}

/** Halves a picture by averaging four pixels. */
export function halve(grey: Float32Array, size: number): Float32Array {
  const half = size / 2;
  return Float32Array.from({ length: half * half }, (_, index) => {
    const at = floor(index / half) * 2 * size + (index % half) * 2;
    return (grey[at]! + grey[at + 1]! + grey[at + size]! + grey[at + size + 1]!) / 4;
  });
}
