/** A cell covers so many texels on each axis, as a power of two. */
const shift = 3;
/** More than what single precision takes from a height on a table. */
const roundingM = 1e-5;

/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { max, min } = Math;

/**
 * An upper bound of a shadow map, cell by cell: most points have nothing above them far and wide, and need not look at
 * texels to know it. Of each cell's geoms the highest is kept apart, because convex ones do not shade themselves: a table
 * top is the highest nearly everywhere.
 */
export class ShadowRoof {
  private readonly width: number;
  /** Per cell: the highest geom and its height, and the height of the others, metres towards the light. */
  private readonly owners: Int32Array;
  private readonly tops: Float64Array;
  private readonly others: Float64Array;

  /** @param side of the map, texels */
  constructor(side: number) {
    this.width = (side >> shift) + 1;
    this.owners = new Int32Array(this.width ** 2);
    this.tops = new Float64Array(this.width ** 2);
    this.others = new Float64Array(this.width ** 2);
  }

  clear(): void {
    this.owners.fill(-1);
    this.tops.fill(Number.NEGATIVE_INFINITY);
    this.others.fill(Number.NEGATIVE_INFINITY);
  }

  /**
   * Raises the cells of a geom's triangle and a texel around, as far as a filter reaches.
   *
   * @param corners [column, row, height] from the indices a, b and c on
   */
  raise(corners: Float64Array, a: number, b: number, c: number, geom: number): void {
    const { width } = this;
    const x0 = corners[a]!;
    const x1 = corners[b]!;
    const x2 = corners[c]!;
    const y0 = corners[a + 1]!;
    const y1 = corners[b + 1]!;
    const y2 = corners[c + 1]!;
    const left = max(0, min(x0, x1, x2) - 2) >> shift;
    const right = min(width - 1, (max(x0, x1, x2) + 2) >> shift);
    const first = max(0, min(y0, y1, y2) - 2) >> shift;
    const last = min(width - 1, (max(y0, y1, y2) + 2) >> shift);
    const height = max(corners[a + 2]!, corners[b + 2]!, corners[c + 2]!) + roundingM;
    for (let row = first; row <= last; row++) {
      for (let at = row * width + left, end = row * width + right; at <= end; at++) this.raiseCell(at, height, geom);
    }
  }

  private raiseCell(at: number, height: number, geom: number): void {
    const { owners, tops, others } = this;
    const top = tops[at]!;
    if (owners[at] === geom) {
      if (height > top) tops[at] = height;
    } else if (height > top) {
      if (top > others[at]!) others[at] = top;
      tops[at] = height;
      owners[at] = geom;
    } else if (height > others[at]!) others[at] = height;
  }

  /** Nothing that the texels around a point see is higher. @param except a geom that does not count, or -1 */
  heightAt(column: number, row: number, except: number): number {
    const at = (row >> shift) * this.width + (column >> shift);
    return this.owners[at] === except ? this.others[at]! : this.tops[at]!;
  }
}
