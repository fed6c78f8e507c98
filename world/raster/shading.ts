import { arcTangent2 } from "#core/geometry/trigonometry.ts";
import type { Light } from "../scene/scene.ts";
import type { View } from "./camera-pass.ts";
import type { GeomPart, RasterModel } from "./model.ts";
import type { ShadowMap } from "./shadow-map.ts";
import { surfaceKind } from "./shape.ts";
import { sampleTile } from "./tile.ts";

/** Bound once: looked up in a sandboxed global (tests, some embedders) they are a hundred times slower. */
const { abs, floor, sqrt } = Math;

/** Share of the ambient light that reaches faces that look straight down; the viewer's hemisphere light has the same. */
const groundShare = 0.578;

export type Lamp = { readonly light: Light; readonly shadows: ShadowMap | null };

/**
 * Colours of surface points: Lambert under directional lights with filtered shadows, and hemisphere ambient light.
 *
 * What `shade` takes and gives goes through arrays, because numbers that are passed to a function are allocated.
 */
export class Shading {
  /** In: x and y in the picture, samples, and nearness (1 / depth) there. */
  readonly input = new Float64Array(3);
  /** Out: linear red, green and blue; may exceed 1. */
  readonly output = new Float64Array(3);
  private readonly model: RasterModel;
  private readonly view: View;
  private readonly lamps: readonly Lamp[];
  private readonly positions: Float64Array;
  private readonly rotations: Float64Array;
  /** Samples along the side of the area that one call stands for. */
  private readonly samples: number;
  /** In the world, and in the geom's frame. */
  private readonly point = new Float64Array(3);
  private readonly normal = new Float64Array(3);
  private readonly localPoint = new Float64Array(3);
  private readonly localNormal = new Float64Array(3);
  private readonly texturePoint = new Float64Array(3);
  /** Flat surfaces have one normal and one light before shadows: found when a frame first shows them. */
  private frame = 0;
  private readonly flatFrame: Int32Array;
  /** f64[surfaces, 3]: in the world */
  private readonly flatNormals: Float64Array;
  /** f64[surfaces, 1 + lamps]: ambient light, then each lamp's without shadows */
  private readonly flatLights: Float64Array;
  /** u8[surfaces, 2]: the geom's axes that texture coordinates are taken along */
  private readonly flatAxes: Uint8Array;

  constructor(
    model: RasterModel,
    view: View,
    lamps: readonly Lamp[],
    positions: Float64Array,
    rotations: Float64Array,
    samples: number,
  ) {
    this.model = model;
    this.view = view;
    this.lamps = lamps;
    this.positions = positions;
    this.rotations = rotations;
    this.samples = samples;
    const surfaces = model.surfaceGeom.length;
    this.flatFrame = new Int32Array(surfaces);
    this.flatNormals = new Float64Array(3 * surfaces);
    this.flatLights = new Float64Array((1 + lamps.length) * surfaces);
    this.flatAxes = new Uint8Array(2 * surfaces);
  }

  /** To be called when positions and rotations are another frame's. */
  startFrame(): void {
    this.frame += 1;
  }

  /** Lights the point of a surface that `input` names. */
  shade(surface: number): void {
    const { model, output } = this;
    const geom = model.surfaceGeom[surface]!;
    const part = model.parts[geom]!;
    const kind = model.surfaceKinds[surface]!;
    this.findPoint();
    const isFlat = kind === surfaceKind.flat;
    if (!isFlat || part.tile !== null) this.findLocalPoint(geom);
    if (isFlat) this.findFlat(surface, part, geom);
    else this.findNormal(surface, kind, part, geom);
    const share = part.tile === null ? 0 : isFlat ? this.flatShare(surface, part) : this.textureShare(kind, part);
    const light = isFlat ? this.flatLightAt(surface, geom) : this.lightAt(geom);
    const { colour, textureColour } = part;
    output[0] = light * (colour[0] + share * textureColour[0]);
    output[1] = light * (colour[1] + share * textureColour[1]);
    output[2] = light * (colour[2] + share * textureColour[2]);
  }

  private findPoint(): void {
    const { view, input, point } = this;
    const { position: p, rotation: r } = view;
    const depth = 1 / input[2]!;
    const right = ((input[0]! - view.centreX) / view.focal) * depth;
    const up = ((view.centreY - input[1]!) / view.focal) * depth;
    point[0] = p[0]! + r[0]! * right + r[1]! * up - r[2]! * depth;
    point[1] = p[1]! + r[3]! * right + r[4]! * up - r[5]! * depth;
    point[2] = p[2]! + r[6]! * right + r[7]! * up - r[8]! * depth;
  }

  private findLocalPoint(geom: number): void {
    const { positions, rotations: r, point, localPoint } = this;
    const m = 9 * geom;
    const x = point[0]! - positions[3 * geom]!;
    const y = point[1]! - positions[3 * geom + 1]!;
    const z = point[2]! - positions[3 * geom + 2]!;
    localPoint[0] = r[m]! * x + r[m + 3]! * y + r[m + 6]! * z;
    localPoint[1] = r[m + 1]! * x + r[m + 4]! * y + r[m + 7]! * z;
    localPoint[2] = r[m + 2]! * x + r[m + 5]! * y + r[m + 8]! * z;
  }

  /** Puts a flat surface's normal in place; what else is one for all of it is found once in a frame. */
  private findFlat(surface: number, part: GeomPart, geom: number): void {
    const { flatNormals, normal } = this;
    if (this.flatFrame[surface] !== this.frame) this.prepareFlat(surface, part, geom);
    normal[0] = flatNormals[3 * surface]!;
    normal[1] = flatNormals[3 * surface + 1]!;
    normal[2] = flatNormals[3 * surface + 2]!;
  }

  private prepareFlat(surface: number, part: GeomPart, geom: number): void {
    const { flatLights, flatAxes, lamps, normal, localNormal: n } = this;
    this.flatFrame[surface] = this.frame;
    this.findNormal(surface, surfaceKind.flat, part, geom);
    this.flatNormals.set(normal, 3 * surface);
    const at = (1 + lamps.length) * surface;
    flatLights[at] = this.ambientLight();
    for (let lamp = 0; lamp < lamps.length; lamp++) flatLights[at + 1 + lamp] = this.lampLight(lamp);
    // Seen along the axis that the normal is nearest to.
    const [alongX, alongY, alongZ] = [abs(n[0]!), abs(n[1]!), abs(n[2]!)];
    const isTop = alongZ >= alongX && alongZ >= alongY;
    flatAxes[2 * surface] = isTop || alongY > alongX ? 0 : 1;
    flatAxes[2 * surface + 1] = isTop ? 1 : 2;
  }

  private findNormal(surface: number, kind: number, part: GeomPart, geom: number): void {
    const { model, localNormal: n, localPoint, normal, rotations: r } = this;
    if (kind === surfaceKind.flat) {
      n[0] = model.surfaceNormals[3 * surface]!;
      n[1] = model.surfaceNormals[3 * surface + 1]!;
      n[2] = model.surfaceNormals[3 * surface + 2]!;
    } else {
      if (kind === surfaceKind.smooth) this.interpolateNormal(model.smoothStart[surface]!);
      else {
        const z = localPoint[2]!;
        const half = part.halfLengthM;
        n[0] = localPoint[0]!;
        n[1] = localPoint[1]!;
        n[2] = kind === surfaceKind.cylinderSide ? 0 : z > half ? z - half : z < -half ? z + half : 0;
      }
      const length = sqrt(n[0]! * n[0]! + n[1]! * n[1]! + n[2]! * n[2]!) || 1;
      n[0] = n[0]! / length;
      n[1] = n[1]! / length;
      n[2] = n[2]! / length;
    }
    const m = 9 * geom;
    normal[0] = r[m]! * n[0]! + r[m + 1]! * n[1]! + r[m + 2]! * n[2]!;
    normal[1] = r[m + 3]! * n[0]! + r[m + 4]! * n[1]! + r[m + 5]! * n[2]!;
    normal[2] = r[m + 6]! * n[0]! + r[m + 7]! * n[1]! + r[m + 8]! * n[2]!;
  }

  private interpolateNormal(t: number): void {
    const { smooth } = this.model;
    const { localNormal: n, localPoint } = this;
    const x = localPoint[0]! - smooth[t]!;
    const y = localPoint[1]! - smooth[t + 1]!;
    const z = localPoint[2]! - smooth[t + 2]!;
    const u = x * smooth[t + 3]! + y * smooth[t + 4]! + z * smooth[t + 5]!;
    const v = x * smooth[t + 6]! + y * smooth[t + 7]! + z * smooth[t + 8]!;
    n[0] = smooth[t + 9]! + u * smooth[t + 12]! + v * smooth[t + 15]!;
    n[1] = smooth[t + 10]! + u * smooth[t + 13]! + v * smooth[t + 16]!;
    n[2] = smooth[t + 11]! + u * smooth[t + 14]! + v * smooth[t + 17]!;
  }

  /** Round bodies are unrolled about Z; smooth meshes are seen along the axis that the normal is nearest to. */
  private textureShare(kind: number, part: GeomPart): number {
    const { localPoint: p, localNormal: n, texturePoint } = this;
    const { repeat } = part.geom.material.texture!;
    this.findTextureScale(repeat);
    if (kind === surfaceKind.capsule || kind === surfaceKind.cylinderSide) {
      texturePoint[0] = repeat * part.radiusM * arcTangent2(p[1]!, p[0]!);
      texturePoint[1] = repeat * p[2]!;
    } else {
      const alongX = abs(n[0]!);
      const alongY = abs(n[1]!);
      const alongZ = abs(n[2]!);
      const isTop = alongZ >= alongX && alongZ >= alongY;
      texturePoint[0] = repeat * (isTop || alongY > alongX ? p[0]! : p[1]!);
      texturePoint[1] = repeat * (isTop ? p[1]! : p[2]!);
    }
    return sampleTile(part.tile!, texturePoint);
  }

  private flatShare(surface: number, part: GeomPart): number {
    const { localPoint, texturePoint, flatAxes } = this;
    const { repeat } = part.geom.material.texture!;
    this.findTextureScale(repeat);
    texturePoint[0] = repeat * localPoint[flatAxes[2 * surface]!]!;
    texturePoint[1] = repeat * localPoint[flatAxes[2 * surface + 1]!]!;
    return sampleTile(part.tile!, texturePoint);
  }

  private findTextureScale(repeat: number): void {
    const { texturePoint, samples, input, view } = this;
    texturePoint[2] = (repeat * samples) / (input[2]! * view.focal);
  }

  /** Light that falls on `point` with unit `normal`. */
  private lightAt(geom: number): number {
    const { lamps } = this;
    let light = this.ambientLight();
    for (let lamp = 0; lamp < lamps.length; lamp++) {
      const direct = this.lampLight(lamp);
      if (!(direct > 0)) continue;
      const { shadows } = lamps[lamp]!;
      light += direct * (shadows === null ? 1 : this.litShare(shadows, geom));
    }
    return light;
  }

  private flatLightAt(surface: number, geom: number): number {
    const { lamps, flatLights } = this;
    const at = (1 + lamps.length) * surface;
    let light = flatLights[at]!;
    for (let lamp = 0; lamp < lamps.length; lamp++) {
      const direct = flatLights[at + 1 + lamp]!;
      if (!(direct > 0)) continue;
      const { shadows } = lamps[lamp]!;
      light += direct * (shadows === null ? 1 : this.litShare(shadows, geom));
    }
    return light;
  }

  private ambientLight(): number {
    return this.model.scene.ambient * (groundShare + (1 - groundShare) * (0.5 + 0.5 * this.normal[2]!));
  }

  /** What a lamp gives to `normal` where nothing is in its way; 0 on faces that look away. */
  private lampLight(lamp: number): number {
    const { normal } = this;
    const { direction, intensity } = this.lamps[lamp]!.light;
    const facing = -(normal[0]! * direction[0] + normal[1]! * direction[1] + normal[2]! * direction[2]);
    return facing > 0 ? intensity * facing : 0;
  }

  /** Share of a light that reaches `point`: a 3x3 filter over the map, bilinear at its border. */
  private litShare(map: ShadowMap, geom: number): number {
    const { point, normal, model } = this;
    const { right, up, toward, texelM, buffer } = map;
    const { nearness, surfaces, width } = buffer;
    const { surfaceGeom } = model;
    // A mesh may shade itself, so its points are lifted off it.
    const mayShadeItself = model.parts[geom]!.geom.type === "mesh";
    const lift = mayShadeItself ? 1.5 * texelM : 0;
    const x = point[0]! + lift * normal[0]!;
    const y = point[1]! + lift * normal[1]!;
    const z = point[2]! + lift * normal[2]!;
    const u = (right[0] * x + right[1] * y + right[2] * z) / texelM - map.cornerX;
    const v = (up[0] * x + up[1] * y + up[2] * z) / texelM - map.cornerY;
    if (!(u >= 1 && v >= 1 && u < width - 1 && v < width - 1)) return 1;
    const height = toward[0] * x + toward[1] * y + toward[2] * z + 1.5 * texelM;
    const column = floor(u);
    const row = floor(v);
    // Most places have nothing above them far and wide.
    if (!(map.roof.heightAt(column, row, mayShadeItself ? -1 : geom) > height)) return 1;
    const across = u - column;
    const down = v - row;
    let blocked = 0;
    for (let i = -1; i <= 1; i++) {
      const weight = i < 0 ? 1 - down : i > 0 ? down : 1;
      const at = (row + i) * width + column;
      for (let j = -1; j <= 1; j++) {
        if (!(nearness[at + j]! > height)) continue;
        if (!mayShadeItself && surfaceGeom[surfaces[at + j]!] === geom) continue;
        blocked += weight * (j < 0 ? 1 - across : j > 0 ? across : 1);
      }
    }
    return 1 - blocked / 4;
  }
}
