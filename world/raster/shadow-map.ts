import { cross, unit, type Vector3 } from "#core/geometry/quaternion.ts";
import type { Light } from "../scene/scene.ts";
import type { RasterModel } from "./model.ts";
import { ShadowRoof } from "./shadow-roof.ts";
import type { Shape } from "./shape.ts";
import { createSurfaceBuffer, fillTriangle, type SurfaceBuffer } from "./surface-buffer.ts";

/** The covered square grows in steps of this, so that texels stay where they are while things move, metres. */
const spanStepM = 0.1;
/** Finest detail of round bodies, as if a texel were this small, metres. */
const nominalTexelM = 0.004;
/**
 * What a parallel light sees. A function of scene and pose alone: the covered square is fitted to the casters in each
 * frame, its side rounded up and its place rounded to whole texels.
 *
 * Texels remember the surface that they see: a convex geom cannot shade itself, which spares the usual depth offsets, so
 * that shadows meet the things that cast them.
 */
export class ShadowMap {
  /** Along the map's columns and rows, and towards the light: unit vectors in the world. */
  right: Vector3 = [1, 0, 0];
  up: Vector3 = [0, 1, 0];
  toward: Vector3 = [0, 0, 1];
  readonly buffer: SurfaceBuffer;
  texelM = 1;
  /** World coordinates along `right` and `up` of the map's corner, in texels. */
  cornerX = 0;
  cornerY = 0;
  readonly roof: ShadowRoof;
  private corners = new Float64Array(0);
  private readonly toLight = new Float64Array(12);
  /** Lowest right and up, highest right and up of all vertices. */
  private readonly bounds = new Float64Array(4);

  constructor(side: number) {
    this.buffer = createSurfaceBuffer(side, side);
    this.roof = new ShadowRoof(side);
  }

  /** Turns the map to another light. */
  aim({ direction }: Light): this {
    this.toward = unit([-direction[0], -direction[1], -direction[2]]);
    const aside: Vector3 = Math.abs(this.toward[2]) > 0.9 ? [0, 1, 0] : [0, 0, 1];
    this.right = unit(cross(aside, this.toward));
    this.up = cross(this.toward, this.right);
    return this;
  }

  /** @param positions f64[G, 3] @param rotations f64[G, 9] */
  draw(model: RasterModel, positions: Float64Array, rotations: Float64Array): void {
    this.buffer.nearness.fill(Number.NEGATIVE_INFINITY);
    this.roof.clear();
    this.project(model, positions, rotations);
    let first = 0;
    for (let geom = 0; geom < model.parts.length; geom++) {
      const part = model.parts[geom]!;
      if (!part.castsShadow) continue;
      const shape = part.shape(part.radiusM / nominalTexelM);
      this.fill(first, shape, part.firstSurface, geom);
      first += shape.positions.length;
    }
  }

  /** Writes every caster's vertices as [column, row, height towards the light], the map fitted around them. */
  private project(model: RasterModel, positions: Float64Array, rotations: Float64Array): void {
    const { bounds } = this;
    bounds[0] = bounds[1] = Number.POSITIVE_INFINITY;
    bounds[2] = bounds[3] = Number.NEGATIVE_INFINITY;
    let at = 0;
    for (let geom = 0; geom < model.parts.length; geom++) {
      const part = model.parts[geom]!;
      if (!part.castsShadow) continue;
      const vertices = part.shape(part.radiusM / nominalTexelM).positions;
      this.makeRoom(at + vertices.length);
      this.place(positions, rotations, geom);
      this.projectPart(vertices, at);
      at += vertices.length;
    }
    this.fit();
    for (let corner = 0; corner < at; corner += 3) {
      this.corners[corner] = this.corners[corner]! / this.texelM - this.cornerX;
      this.corners[corner + 1] = this.corners[corner + 1]! / this.texelM - this.cornerY;
    }
  }

  /** Geom to light: rows along right, up and toward; then the origin. */
  private place(positions: Float64Array, rotations: Float64Array, geom: number): void {
    const { toLight } = this;
    for (let row = 0; row < 3; row++) {
      const axis = row === 0 ? this.right : row === 1 ? this.up : this.toward;
      for (let column = 0; column < 3; column++) {
        toLight[3 * row + column] =
          axis[0] * rotations[9 * geom + column]! +
          axis[1] * rotations[9 * geom + 3 + column]! +
          axis[2] * rotations[9 * geom + 6 + column]!;
      }
      toLight[9 + row] =
        axis[0] * positions[3 * geom]! + axis[1] * positions[3 * geom + 1]! + axis[2] * positions[3 * geom + 2]!;
    }
  }

  private projectPart(vertices: Float64Array, first: number): void {
    const { toLight: m, corners, bounds } = this;
    for (let vertex = 0; vertex < vertices.length; vertex += 3) {
      const x = vertices[vertex]!;
      const y = vertices[vertex + 1]!;
      const z = vertices[vertex + 2]!;
      const right = m[0]! * x + m[1]! * y + m[2]! * z + m[9]!;
      const up = m[3]! * x + m[4]! * y + m[5]! * z + m[10]!;
      corners[first + vertex] = right;
      corners[first + vertex + 1] = up;
      corners[first + vertex + 2] = m[6]! * x + m[7]! * y + m[8]! * z + m[11]!;
      if (right < bounds[0]!) bounds[0] = right;
      if (up < bounds[1]!) bounds[1] = up;
      if (right > bounds[2]!) bounds[2] = right;
      if (up > bounds[3]!) bounds[3] = up;
    }
  }

  private fit(): void {
    const { width } = this.buffer;
    const [lowX, lowY, highX, highY] = [this.bounds[0]!, this.bounds[1]!, this.bounds[2]!, this.bounds[3]!];
    const span = Math.max(highX - lowX, highY - lowY, spanStepM);
    if (!(span < Infinity)) return;
    // Four texels of border: the filter reaches out by one, rounding takes up to one.
    this.texelM = (Math.ceil(span / spanStepM) * spanStepM) / (width - 4);
    this.cornerX = Math.round((lowX + highX) / 2 / this.texelM) - width / 2;
    this.cornerY = Math.round((lowY + highY) / 2 / this.texelM) - width / 2;
  }

  private fill(first: number, { triangles, surfaces }: Shape, firstSurface: number, geom: number): void {
    const { corners, buffer, roof } = this;
    for (let triangle = 0; triangle < surfaces.length; triangle++) {
      const a = first + 3 * triangles[3 * triangle]!;
      const b = first + 3 * triangles[3 * triangle + 1]!;
      const c = first + 3 * triangles[3 * triangle + 2]!;
      const x = corners[a]!;
      const y = corners[a + 1]!;
      // Only what faces the light: counter-clockwise, y up.
      const doubled = (corners[b]! - x) * (corners[c + 1]! - y) - (corners[c]! - x) * (corners[b + 1]! - y);
      if (!(doubled > 0)) continue;
      fillTriangle(buffer, firstSurface + surfaces[triangle]!, corners, a, b, c);
      roof.raise(corners, a, b, c, geom);
    }
  }

  private makeRoom(length: number): void {
    if (this.corners.length >= length) return;
    const larger = new Float64Array(2 * length);
    larger.set(this.corners);
    this.corners = larger;
  }
}
