import { tangent } from "#core/geometry/trigonometry.ts";
import type { GeomPart, RasterModel } from "./model.ts";
import { fillTriangle, type SurfaceBuffer } from "./surface-buffer.ts";

/** What is nearer than this is cut away, metres. */
const nearM = 0.01;

/** A pinhole camera in the world; picture coordinates in samples, x right and y down from the top left corner. */
export type View = {
  readonly position: Float64Array;
  /** f64[9] row-major; columns right, up and back. */
  readonly rotation: Float64Array;
  /** Distance of the picture plane, samples. */
  focal: number;
  readonly centreX: number;
  readonly centreY: number;
};

/** Focal length in samples of a picture that is `height` samples high. */
export const focalLength = (fovyDeg: number, height: number) => height / 2 / tangent((fovyDeg * Math.PI) / 360);

/** Draws all geoms as a camera sees them: nearness is 1 / depth. Owns its scratch, so frames allocate nothing. */
export class CameraPass {
  private readonly buffer: SurfaceBuffer;
  /** Per vertex [right, down, depth] in metres, and [x, y, nearness] in the picture. */
  private camera = new Float64Array(0);
  private picture = new Float64Array(0);
  /** geom to camera: rows right, down, ahead; then the origin. */
  private readonly toCamera = new Float64Array(12);
  private readonly clipped = new Float64Array(12);

  constructor(buffer: SurfaceBuffer) {
    this.buffer = buffer;
  }

  /** @param positions f64[G, 3] @param rotations f64[G, 9] */
  draw(model: RasterModel, view: View, positions: Float64Array, rotations: Float64Array): void {
    this.buffer.nearness.fill(0);
    this.buffer.surfaces.fill(-1);
    for (let geom = 0; geom < model.parts.length; geom++) {
      const part = model.parts[geom]!;
      if (part.geom.material.rgba[3] === 0) continue;
      this.place(view, positions, rotations, geom);
      if (this.isOutside(view, part.reachM)) continue;
      this.drawPart(part, view);
    }
  }

  private place(view: View, positions: Float64Array, rotations: Float64Array, geom: number): void {
    const { toCamera } = this;
    const { position, rotation } = view;
    for (let row = 0; row < 3; row++) {
      const sign = row === 0 ? 1 : -1;
      const x = sign * rotation[row]!;
      const y = sign * rotation[3 + row]!;
      const z = sign * rotation[6 + row]!;
      for (let column = 0; column < 3; column++) {
        toCamera[3 * row + column] =
          x * rotations[9 * geom + column]! +
          y * rotations[9 * geom + 3 + column]! +
          z * rotations[9 * geom + 6 + column]!;
      }
      toCamera[9 + row] =
        x * (positions[3 * geom]! - position[0]!) +
        y * (positions[3 * geom + 1]! - position[1]!) +
        z * (positions[3 * geom + 2]! - position[2]!);
    }
  }

  /** True when the ball of `reach` around the geom's origin is outside the view. */
  private isOutside({ focal, centreX, centreY }: View, reach: number): boolean {
    const x = Math.abs(this.toCamera[9]!);
    const y = Math.abs(this.toCamera[10]!);
    const depth = this.toCamera[11]!;
    return (
      depth + reach < nearM ||
      x * focal - depth * centreX > reach * Math.sqrt(focal * focal + centreX * centreX) ||
      y * focal - depth * centreY > reach * Math.sqrt(focal * focal + centreY * centreY)
    );
  }

  private drawPart(part: GeomPart, view: View): void {
    const depth = Math.max(this.toCamera[11]! - part.reachM, nearM);
    const shape = part.shape((part.radiusM * view.focal) / depth);
    const vertices = shape.positions.length;
    if (this.camera.length < vertices) {
      this.camera = new Float64Array(2 * vertices);
      this.picture = new Float64Array(2 * vertices);
    }
    const isCut = this.project(shape.positions, view);
    const { picture, camera, buffer } = this;
    const { triangles, surfaces } = shape;
    for (let triangle = 0; triangle < surfaces.length; triangle++) {
      const a = 3 * triangles[3 * triangle]!;
      const b = 3 * triangles[3 * triangle + 1]!;
      const c = 3 * triangles[3 * triangle + 2]!;
      const surface = part.firstSurface + surfaces[triangle]!;
      if (isCut && (camera[a + 2]! < nearM || camera[b + 2]! < nearM || camera[c + 2]! < nearM)) {
        this.drawCut(surface, a, b, c, view);
        continue;
      }
      const x = picture[a]!;
      const y = picture[a + 1]!;
      // Counter-clockwise from outside is clockwise here, where y points down.
      const doubled = (picture[b]! - x) * (picture[c + 1]! - y) - (picture[c]! - x) * (picture[b + 1]! - y);
      if (doubled < 0) fillTriangle(buffer, surface, picture, a, b, c);
    }
  }

  /** Fills the scratch arrays. @returns true when some vertex is too near to be projected */
  private project(vertices: Float64Array, { focal, centreX, centreY }: View): boolean {
    const { toCamera: m, camera, picture } = this;
    let isCut = false;
    for (let at = 0; at < vertices.length; at += 3) {
      const x = vertices[at]!;
      const y = vertices[at + 1]!;
      const z = vertices[at + 2]!;
      const right = m[0]! * x + m[1]! * y + m[2]! * z + m[9]!;
      const down = m[3]! * x + m[4]! * y + m[5]! * z + m[10]!;
      const depth = m[6]! * x + m[7]! * y + m[8]! * z + m[11]!;
      camera[at] = right;
      camera[at + 1] = down;
      camera[at + 2] = depth;
      if (depth < nearM) {
        isCut = true;
        continue;
      }
      const nearness = 1 / depth;
      picture[at] = centreX + focal * right * nearness;
      picture[at + 1] = centreY + focal * down * nearness;
      picture[at + 2] = nearness;
    }
    return isCut;
  }

  /** Cuts a triangle at the near plane and draws what is left: none, one or two triangles. */
  private drawCut(surface: number, a: number, b: number, c: number, { focal, centreX, centreY }: View): void {
    const { camera, clipped } = this;
    let count = 0;
    for (let edge = 0; edge < 3; edge++) {
      const from = edge === 0 ? a : edge === 1 ? b : c;
      const to = edge === 0 ? b : edge === 1 ? c : a;
      const depth = camera[from + 2]!;
      const next = camera[to + 2]!;
      if (depth >= nearM) {
        clipped[3 * count] = centreX + (focal * camera[from]!) / depth;
        clipped[3 * count + 1] = centreY + (focal * camera[from + 1]!) / depth;
        clipped[3 * count++ + 2] = 1 / depth;
      }
      if (depth >= nearM !== next >= nearM) {
        const share = (nearM - depth) / (next - depth);
        const right = camera[from]! + share * (camera[to]! - camera[from]!);
        const down = camera[from + 1]! + share * (camera[to + 1]! - camera[from + 1]!);
        clipped[3 * count] = centreX + (focal * right) / nearM;
        clipped[3 * count + 1] = centreY + (focal * down) / nearM;
        clipped[3 * count++ + 2] = 1 / nearM;
      }
    }
    for (let last = 2; last < count; last++) {
      const b = 3 * (last - 1);
      const c = 3 * last;
      const [x, y] = [clipped[0]!, clipped[1]!];
      const doubled = (clipped[b]! - x) * (clipped[c + 1]! - y) - (clipped[c]! - x) * (clipped[b + 1]! - y);
      if (doubled < 0) fillTriangle(this.buffer, surface, clipped, 0, b, c);
    }
  }
}
