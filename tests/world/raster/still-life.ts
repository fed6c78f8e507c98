import { lookAt, matrixFromQuaternion, type Quaternion, type Vector3 } from "#core/geometry/quaternion.ts";
import { createRasterizer, type Frame } from "#world/raster/index.ts";
import type { Geom, Light, Material, Scene, ScenePose } from "#world/scene/scene.ts";

/** @file Small scenes for rasteriser tests: geoms with their poses, one camera. */

export type Thing = Pick<Geom, "type" | "size"> &
  Partial<Pick<Geom, "mesh">> & {
    readonly name?: string;
    readonly material?: Material;
    readonly position?: Vector3;
    readonly quaternion?: Quaternion;
  };

export const white: Material = { rgba: [1, 1, 1, 1] };
/** Endless. */
export const plane: Thing = { type: "plane", size: [0, 0] };
export const sunFromAbove: Light = { direction: [0, 0, -1], intensity: 0.5, castsShadow: true };

export type StillLife = {
  readonly things: readonly Thing[];
  readonly camera: { readonly position: Vector3; readonly target?: Vector3; readonly fovyDeg?: number };
  readonly lights?: readonly Light[];
  readonly ambient?: number;
  readonly meshes?: Scene["meshes"];
};

/** Without a target the camera looks straight down, +Y up in the picture. */
export function stillLife({ things, camera, lights = [], ambient = 1, meshes = {} }: StillLife): {
  scene: Scene;
  pose: ScenePose;
} {
  const rotation = ({ quaternion = [0, 0, 0, 1] as const }: { quaternion?: Quaternion }) =>
    matrixFromQuaternion(quaternion);
  const scene: Scene = {
    geoms: things.map(({ name = "thing", type, size, material = white, mesh }, body) => ({
      name,
      type,
      size,
      material,
      body,
      ...(mesh === undefined ? {} : { mesh }),
    })),
    cameras: [{ name: "front", fovyDeg: camera.fovyDeg ?? 90 }],
    lights,
    ambient,
    background: [0, 0, 0],
    meshes,
  };
  const looking = camera.target ? { quaternion: lookAt(camera.position, camera.target) } : {};
  const pose: ScenePose = {
    geomPositions: Float64Array.from(things.flatMap(({ position = [0, 0, 0] as const }) => [...position])),
    geomRotations: Float64Array.from(things.flatMap((thing) => [...rotation(thing)])),
    cameraPositions: Float64Array.from(camera.position),
    cameraRotations: Float64Array.from(rotation(looking)),
  };
  return { scene, pose };
}

type Size = { readonly size?: number; readonly samples?: 1 | 2; readonly shadowMapSize?: number };

/** One picture of it. */
export function draw(life: StillLife, { size = 32, samples = 1, shadowMapSize = 128 }: Size = {}): Frame {
  const { scene, pose } = stillLife(life);
  return createRasterizer(scene, { width: size, height: size, samples, shadowMapSize }).render(pose, 0);
}

/** Red byte of a pixel. */
export const red = ({ rgb }: Frame, pixel: number) => rgb[3 * pixel]!;
