/**
 * @file The scene as data: one definition that physics fills, and that the Node rasteriser, the three.js viewer and the
 * browser draw. No backend, no I/O: browser-safe. World frame: right-handed, Z up, metres. Rotations: row-major 3x3,
 * columns are the local axes in the world. Cameras look along their -Z with +Y up (MuJoCo's and three.js's convention).
 */

export type GeomType = "plane" | "sphere" | "capsule" | "cylinder" | "box" | "mesh";

/** Procedural surface pattern; `repeat` in tiles per metre along the surface. */
export type Texture = {
  readonly kind: "wood" | "cloth" | "checker" | "noise";
  readonly rgb: readonly [number, number, number];
  readonly repeat: number;
  readonly seed: number;
};

/** Colours are sRGB in [0, 1]. */
export type Material = { readonly rgba: readonly [number, number, number, number]; readonly texture?: Texture };

/**
 * `size` as in MuJoCo, metres, half-extents: plane [x, y], sphere [radius], capsule and cylinder [radius, half-length]
 * along local Z, box [x, y, z]. `mesh` names an entry of `Scene.meshes`.
 */
export type Geom = {
  readonly name: string;
  readonly type: GeomType;
  readonly size: readonly number[];
  readonly material: Material;
  /** Body that carries it; 0 is the world. Segmentation writes the geom's index. */
  readonly body: number;
  readonly mesh?: string;
};

/** Triangles: positions and normals f32[V, 3], indices u32[F, 3], counter-clockwise seen from outside. */
export type Mesh = { readonly positions: Float32Array; readonly normals: Float32Array; readonly indices: Uint32Array };

/** `fovyDeg` is the vertical field of view. */
export type Camera = { readonly name: string; readonly fovyDeg: number };

export type Light = {
  /** Direction in which the light travels, world frame, unit length. */
  readonly direction: readonly [number, number, number];
  readonly intensity: number;
  readonly castsShadow: boolean;
};

export type Scene = {
  readonly geoms: readonly Geom[];
  readonly cameras: readonly Camera[];
  readonly lights: readonly Light[];
  /** Hemisphere ambient intensity in [0, 1]. */
  readonly ambient: number;
  /** Background sRGB in [0, 1]. */
  readonly background: readonly [number, number, number];
  readonly meshes?: Readonly<Record<string, Mesh>>;
};

/** Where everything is at one instant. Lengths: geoms G, cameras C. */
export type ScenePose = {
  /** f32/f64[G, 3] */
  readonly geomPositions: Float32Array | Float64Array;
  /** f32/f64[G, 9] */
  readonly geomRotations: Float32Array | Float64Array;
  /** f32/f64[C, 3] */
  readonly cameraPositions: Float32Array | Float64Array;
  /** f32/f64[C, 9] */
  readonly cameraRotations: Float32Array | Float64Array;
};
