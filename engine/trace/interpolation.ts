/**
 * @file Resizing as two matrix products. Bilinear and nearest resizing are linear and separable: rows and columns are
 * weighted by constant matrices, and the gradient uses the same matrices transposed.
 */

export type Resize = {
  readonly method: "bilinear" | "nearest";
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
};

/** @returns f32[target, source]: row i weighs the source positions that make target position i */
export function interpolationMatrix(source: number, target: number, resize: Resize): Float32Array {
  const { method, alignCorners, halfPixelCenters } = resize;
  const aligned = alignCorners && target > 1;
  const ratio = aligned ? (source - 1) / (target - 1) : source / target;
  const matrix = new Float32Array(target * source);
  for (let row = 0; row < target; row++) {
    if (method === "nearest") {
      const position = halfPixelCenters ? ratio * (row + 0.5) : ratio * row;
      const nearest = alignCorners ? Math.round(position) : Math.floor(position);
      matrix[row * source + Math.max(0, Math.min(source - 1, nearest))] = 1;
      continue;
    }
    const position = halfPixelCenters ? ratio * (row + 0.5) - 0.5 : ratio * row;
    const low = Math.max(0, Math.floor(position));
    const high = Math.min(source - 1, Math.ceil(position));
    const fraction = Math.max(0, position - low);
    matrix[row * source + low]! += 1 - fraction;
    matrix[row * source + high]! += fraction;
  }
  return matrix;
}
