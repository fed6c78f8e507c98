/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { ceil, max, min } = Math;
/**
 * What is seen from one place: per sample the nearest surface. `nearness` grows towards the viewer and is linear over the
 * picture plane for flat surfaces: 1 / depth in a perspective camera, height above the far side in a parallel projection.
 */
export type SurfaceBuffer = {
  readonly width: number;
  readonly height: number;
  /** f32[H, W] */
  readonly nearness: Float32Array;
  /** i32[H, W] */
  readonly surfaces: Int32Array;
};

export function createSurfaceBuffer(width: number, height: number): SurfaceBuffer {
  const samples = width * height;
  return { width, height, nearness: new Float32Array(samples), surfaces: new Int32Array(samples) };
}

/**
 * Draws a triangle; its corners [x, y, nearness] start at the indices a, b and c of `points`, x and y in samples (sample i
 * has its centre at i + 0.5).
 *
 * The crossing of an edge with a row is computed from the edge's own ends, upper one first, so two triangles that share
 * an edge share its crossings to the last bit: no sample between them is missed or drawn twice.
 */
export function fillTriangle(
  buffer: SurfaceBuffer,
  surface: number,
  points: Float64Array,
  a: number,
  b: number,
  c: number,
): void {
  const x0 = points[a]!;
  const y0 = points[a + 1]!;
  const n0 = points[a + 2]!;
  const x1 = points[b]!;
  const y1 = points[b + 1]!;
  const x2 = points[c]!;
  const y2 = points[c + 1]!;
  const area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
  if (!(area !== 0)) return;
  const toB = points[b + 2]! - n0;
  const toC = points[c + 2]! - n0;
  const perX = (toB * (y2 - y0) - toC * (y1 - y0)) / area;
  const perY = (toC * (x1 - x0) - toB * (x2 - x0)) / area;
  const base = n0 - perX * x0 - perY * y0;

  // Corners from top to bottom.
  let top = a;
  let middle = b;
  let bottom = c;
  if (points[middle + 1]! < points[top + 1]!) [top, middle] = [middle, top];
  if (points[bottom + 1]! < points[middle + 1]!) [middle, bottom] = [bottom, middle];
  if (points[middle + 1]! < points[top + 1]!) [top, middle] = [middle, top];
  const topX = points[top]!;
  const topY = points[top + 1]!;
  const middleX = points[middle]!;
  const middleY = points[middle + 1]!;
  const bottomX = points[bottom]!;
  const bottomY = points[bottom + 1]!;
  const { width, height, nearness, surfaces } = buffer;
  const firstRow = max(0, ceil(topY - 0.5));
  const endRow = min(height, ceil(bottomY - 0.5));
  if (firstRow >= endRow) return;
  const longSlope = (bottomX - topX) / (bottomY - topY);
  const upperSlope = middleY > topY ? (middleX - topX) / (middleY - topY) : 0;
  const lowerSlope = bottomY > middleY ? (bottomX - middleX) / (bottomY - middleY) : 0;
  const isLongLeft = (middleX - topX) * (bottomY - topY) > (bottomX - topX) * (middleY - topY);

  for (let row = firstRow; row < endRow; row++) {
    const y = row + 0.5;
    const long = topX + (y - topY) * longSlope;
    const short = y < middleY ? topX + (y - topY) * upperSlope : middleX + (y - middleY) * lowerSlope;
    const left = isLongLeft ? long : short;
    const right = isLongLeft ? short : long;
    const first = left > 0.5 ? ceil(left - 0.5) : 0;
    const end = right < width ? ceil(right - 0.5) : width;
    let value = base + perX * (first + 0.5) + perY * y;
    for (let at = row * width + first, stop = row * width + end; at < stop; at++) {
      if (value > nearness[at]!) {
        nearness[at] = value;
        surfaces[at] = surface;
      }
      value += perX;
    }
  }
}
