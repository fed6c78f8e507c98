import type { Image } from "#core/contracts/image.ts";
import { createRasterizer, type Rasterizer } from "./raster/index.ts";
import type { Scene, ScenePose } from "./scene/scene.ts";

export type PictureOptions = {
  /** Samples per pixel and axis; default 2. */
  readonly samples?: 1 | 2;
  /** Side of the shadow map, texels; default 256. */
  readonly shadowMapSize?: number;
};

/** Draws scenes at any size; keeps one rasteriser per size. */
export class Pictures {
  private readonly options: PictureOptions;
  private readonly known = new Map<number, { readonly rasterizer: Rasterizer; scene: Scene }>();

  constructor(options: PictureOptions = {}) {
    this.options = options;
  }

  /** Square picture u8[size, size, 3] of one of the scene's cameras. */
  render(scene: Scene, pose: ScenePose, camera: number, size: number): Image {
    return { data: this.rasterizer(scene, size).render(pose, camera).rgb.slice(), height: size, width: size };
  }

  /** Name and version of what draws pictures of this size. */
  rendererId(scene: Scene, size: number): string {
    return this.rasterizer(scene, size).id;
  }

  private rasterizer(scene: Scene, size: number): Rasterizer {
    const known = this.known.get(size);
    if (!known) {
      const rasterizer = createRasterizer(scene, { ...this.options, width: size, height: size });
      this.known.set(size, { rasterizer, scene });
      return rasterizer;
    }
    if (known.scene !== scene) known.rasterizer.setScene(scene);
    known.scene = scene;
    return known.rasterizer;
  }
}
