/**
 * @file A software rasteriser: colour, depth and segmentation of a scene in one pass, the same bytes on every machine and
 * in every JavaScript engine. First the nearest surface of every sample is found, then each pixel is lit once per surface
 * that it shows, so anti-aliasing costs little. No Node built-ins: it runs in browsers and workers.
 */
import { ConfigError } from "#core/errors.ts";
import type { Scene, ScenePose } from "../scene/scene.ts";
import { CameraPass, focalLength, type View } from "./camera-pass.ts";
import { linearFromSrgb } from "./colour.ts";
import { createRasterModel, type RasterModel } from "./model.ts";
import { type Frame, Resolve } from "./resolve.ts";
import { type Lamp, Shading } from "./shading.ts";
import { ShadowMap } from "./shadow-map.ts";
import { createSurfaceBuffer, type SurfaceBuffer } from "./surface-buffer.ts";

/** Bumped whenever a change here changes pixels: pictures of different versions must not be mixed unawares. */
const version = 1;

export type RasterizerOptions = {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Samples per pixel and axis (default 2). */
  readonly samples?: 1 | 2;
  /** Side of the shadow maps, texels; 0: no shadows (default 256). */
  readonly shadowMapSize?: number;
};

export class Rasterizer {
  /** Names what decides the pixels besides scene and pose. */
  readonly id: string;
  readonly options: Required<RasterizerOptions>;
  private readonly buffer: SurfaceBuffer;
  private readonly pass: CameraPass;
  private readonly frame: Frame;
  private readonly view: View;
  private model!: RasterModel;
  private lamps: readonly Lamp[] = [];
  private shading!: Shading;
  private resolve!: Resolve;
  private positions = new Float64Array(0);
  private rotations = new Float64Array(0);

  /** @throws ConfigError when the picture would have no pixels */
  constructor(scene: Scene, options: RasterizerOptions) {
    const { width, height, samples = 2, shadowMapSize = 256 } = options;
    for (const [name, value, least] of [
      ["width", width, 1],
      ["height", height, 1],
      ["shadowMapSize", shadowMapSize, 0],
    ] as const) {
      if (Number.isInteger(value) && value >= least) continue;
      throw new ConfigError(
        `rasterizer: ${name} must be a whole number of at least ${least}, got ${value}. Change it.`,
      );
    }
    this.options = { width, height, samples, shadowMapSize };
    this.id = `armature-raster/${version} samples=${samples} shadows=${shadowMapSize}`;
    this.buffer = createSurfaceBuffer(width * samples, height * samples);
    this.pass = new CameraPass(this.buffer);
    this.frame = {
      rgb: new Uint8Array(3 * width * height),
      depth: new Float32Array(width * height),
      segmentation: new Int32Array(width * height),
    };
    this.view = {
      position: new Float64Array(3),
      rotation: new Float64Array(9),
      focal: 1,
      centreX: (width * samples) / 2,
      centreY: (height * samples) / 2,
    };
    this.setScene(scene);
  }

  /** Draws another scene from now on. */
  setScene(scene: Scene): void {
    const { samples, shadowMapSize } = this.options;
    this.model = createRasterModel(scene);
    const maps = this.lamps.flatMap(({ shadows }) => shadows ?? []);
    this.lamps = scene.lights.map((light) => ({
      light,
      shadows: light.castsShadow && shadowMapSize > 0 ? (maps.pop() ?? new ShadowMap(shadowMapSize)).aim(light) : null,
    }));
    this.positions = new Float64Array(3 * scene.geoms.length);
    this.rotations = new Float64Array(9 * scene.geoms.length);
    const { view, lamps, positions, rotations } = this;
    const shading = new Shading(this.model, view, lamps, positions, rotations, samples);
    const [red, green, blue] = scene.background;
    const background = [linearFromSrgb(red), linearFromSrgb(green), linearFromSrgb(blue)] as const;
    this.shading = shading;
    this.resolve = new Resolve(this.buffer, this.frame, shading, this.model.surfaceGeom, background);
  }

  /** Draws the scene as camera number `camera` sees it. */
  render(pose: ScenePose, camera = 0): Frame {
    const { scene } = this.model;
    const { fovyDeg } = scene.cameras[camera]!;
    this.positions.set(pose.geomPositions);
    this.rotations.set(pose.geomRotations);
    for (let axis = 0; axis < 3; axis++) this.view.position[axis] = pose.cameraPositions[3 * camera + axis]!;
    for (let cell = 0; cell < 9; cell++) this.view.rotation[cell] = pose.cameraRotations[9 * camera + cell]!;
    this.view.focal = focalLength(fovyDeg, this.buffer.height);
    for (const { shadows } of this.lamps) shadows?.draw(this.model, this.positions, this.rotations);
    this.pass.draw(this.model, this.view, this.positions, this.rotations);
    this.shading.startFrame();
    if (this.options.samples === 1) this.resolve.one();
    else this.resolve.four();
    return this.frame;
  }
}
