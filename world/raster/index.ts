import type { Scene } from "../scene/scene.ts";
import { Rasterizer, type RasterizerOptions } from "./rasterizer.ts";

export type { Rasterizer, RasterizerOptions } from "./rasterizer.ts";
export type { Frame } from "./resolve.ts";

/** Makes a rasteriser for pictures of one size. @throws ConfigError when the picture would have no pixels */
export const createRasterizer = (scene: Scene, options: RasterizerOptions): Rasterizer =>
  new Rasterizer(scene, options);
