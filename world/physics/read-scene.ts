import { ConfigError } from "#core/errors.ts";
import { sineCosine } from "#core/geometry/trigonometry.ts";
import type { Geom, GeomType, Material, Mesh, Scene } from "../scene/scene.ts";
import type { MainModule, MjModel } from "./mujoco.ts";

/** What a model file does not say about looks: materials by geom name (over the model's rgba), lights, background. */
export type Looks = Pick<Scene, "lights" | "ambient" | "background"> & {
  readonly materials: Readonly<Record<string, Material>>;
};

/** What a model says: everything of its scene but looks, and which of MuJoCo's geoms the entries are. */
export type Geometry = {
  readonly geoms: readonly Geom[];
  readonly cameras: Scene["cameras"];
  readonly meshes: Readonly<Record<string, Mesh>>;
  readonly geomIds: Int32Array;
};

const typeNames: Readonly<Record<number, GeomType | "ellipsoid">> = {
  0: "plane",
  2: "sphere",
  3: "capsule",
  4: "ellipsoid",
  5: "cylinder",
  6: "box",
  7: "mesh",
};

/** Groups of geoms that MuJoCo's viewers show unless told otherwise; collision shapes are usually in others. */
const visibleGroups = 3;

/**
 * Reads geoms and cameras of a compiled model; materials are the model's plain colours. Geoms with alpha 0 or in a group
 * that is not shown are physics only and left out.
 *
 * Meshes are read back from the model, not from the author's vertices: MuJoCo moves them into their inertia frame.
 */
export function readGeometry(mujoco: MainModule, model: MjModel): Geometry {
  // `mj_id2name` reads address 0 when an object has no name.
  const names = model.names as Int8Array;
  const nameOf = (kind: number, id: number, address: number, fallback: string) =>
    names[address] === 0 ? fallback : mujoco.mj_id2name(model, kind, id);
  const sizes = model.geom_size as Float64Array;
  const meshes: Record<string, Mesh> = {};
  const geoms: Geom[] = [];
  const geomIds: number[] = [];
  for (let id = 0; id < model.ngeom; id++) {
    const colour = geomColour(model, id);
    if (colour[3] === 0 || (model.geom_group[id] as number) >= visibleGroups) continue;
    const name = nameOf(mujoco.mjtObj.mjOBJ_GEOM.value, id, model.name_geomadr[id], `geom ${id}`);
    const type = typeNames[model.geom_type[id] as number];
    if (!type) {
      throw new ConfigError(
        `geom "${name}": must be a primitive or a mesh, got type ${model.geom_type[id]}. Give it alpha 0 to hide it.`,
      );
    }
    const size = [...sizes.slice(3 * id, 3 * id + 3)];
    const meshName =
      type === "mesh" ? `mesh ${model.geom_dataid[id]}` : type === "ellipsoid" ? `ellipsoid ${size}` : "";
    if (type === "mesh") meshes[meshName] ??= modelMesh(model, model.geom_dataid[id] as number);
    if (type === "ellipsoid") meshes[meshName] ??= ellipsoidMesh(size as [number, number, number]);
    geoms.push({
      name,
      type: type === "ellipsoid" ? "mesh" : type,
      size: size.slice(0, sizeLengths[type]),
      material: { rgba: colour },
      body: model.geom_bodyid[id] as number,
      ...(meshName ? { mesh: meshName } : {}),
    });
    geomIds.push(id);
  }
  const cameras = Array.from({ length: model.ncam }, (_, id) => ({
    name: nameOf(mujoco.mjtObj.mjOBJ_CAMERA.value, id, model.name_camadr[id], `camera ${id}`),
    fovyDeg: model.cam_fovy[id] as number,
  }));
  return { geoms, cameras, meshes, geomIds: Int32Array.from(geomIds) };
}

/** The scene that looks make of a geometry. */
export function dressScene({ geoms, cameras, meshes }: Geometry, looks: Looks): Scene {
  const { lights, ambient, background, materials } = looks;
  const dressed = geoms.map((geom) => ({ ...geom, material: materials[geom.name] ?? geom.material }));
  return { geoms: dressed, cameras, lights, ambient, background, meshes };
}

const sizeLengths = { plane: 2, sphere: 1, capsule: 2, cylinder: 2, box: 3, ellipsoid: 3, mesh: 0 } as const;

/** The geom's own colour, or its material's when it has none of its own. */
function geomColour(model: MjModel, id: number): [number, number, number, number] {
  const colourAt = (colours: Float32Array, index: number): [number, number, number, number] => {
    const [red, green, blue, alpha] = colours.subarray(4 * index, 4 * index + 4);
    return [red!, green!, blue!, alpha!];
  };
  const own = colourAt(model.geom_rgba as Float32Array, id);
  const material = model.geom_matid[id] as number;
  const isDefault = own[0] === 0.5 && own[1] === 0.5 && own[2] === 0.5 && own[3] === 1;
  return isDefault && material >= 0 ? colourAt(model.mat_rgba as Float32Array, material) : own;
}

/** Cosine of 30 degrees: where smooth normals differ more than this from a face, its edge is sharp. */
const creaseCosine = 0.8660254;

/**
 * Copies a mesh's triangles, every one with its own three corners. Normals are the model's smooth ones, but at sharp edges
 * those of the faces.
 */
function modelMesh(model: MjModel, id: number): Mesh {
  const vertices = model.mesh_vert as Float32Array;
  const faces = model.mesh_face as Int32Array;
  const smooth = model.mesh_normal as Float32Array;
  const smoothFaces = model.mesh_facenormal as Int32Array;
  const firstVertex = model.mesh_vertadr[id] as number;
  const firstNormal = model.mesh_normaladr[id] as number;
  const firstFace = model.mesh_faceadr[id] as number;
  const count = model.mesh_facenum[id] as number;
  const positions = new Float32Array(9 * count);
  for (let corner = 0; corner < 3 * count; corner++) {
    const vertex = firstVertex + faces[3 * firstFace + corner]!;
    for (let axis = 0; axis < 3; axis++) positions[3 * corner + axis] = vertices[3 * vertex + axis]!;
  }
  const normals = flatNormals(positions);
  for (let corner = 0; corner < 3 * count; corner++) {
    const at = 3 * (firstNormal + smoothFaces[3 * firstFace + corner]!);
    const [x, y, z] = [smooth[at]!, smooth[at + 1]!, smooth[at + 2]!];
    const cosine = x * normals[3 * corner]! + y * normals[3 * corner + 1]! + z * normals[3 * corner + 2]!;
    if (cosine > creaseCosine) normals.set([x, y, z], 3 * corner);
  }
  return { positions, normals, indices: Uint32Array.from({ length: 3 * count }, (_, index) => index) };
}

function flatNormals(positions: Float32Array): Float32Array {
  const normals = new Float32Array(positions.length);
  for (let at = 0; at < positions.length; at += 9) {
    const edge = (corner: number, axis: number) => positions[at + 3 * corner + axis]! - positions[at + axis]!;
    const x = edge(1, 1) * edge(2, 2) - edge(1, 2) * edge(2, 1);
    const y = edge(1, 2) * edge(2, 0) - edge(1, 0) * edge(2, 2);
    const z = edge(1, 0) * edge(2, 1) - edge(1, 1) * edge(2, 0);
    const length = Math.sqrt(x * x + y * y + z * z) || 1;
    for (let corner = 0; corner < 3; corner++) normals.set([x / length, y / length, z / length], at + 3 * corner);
  }
  return normals;
}

/** Latitude-longitude triangles of an ellipsoid with the given half-axes. */
function ellipsoidMesh([a, b, c]: readonly [number, number, number], rings = 12, segments = 20): Mesh {
  const positions: number[] = [];
  const normals: number[] = [];
  for (let ring = 0; ring <= rings; ring++) {
    const [sinePolar, cosinePolar] = sineCosine((Math.PI * ring) / rings);
    for (let segment = 0; segment <= segments; segment++) {
      const [sineAround, cosineAround] = sineCosine((2 * Math.PI * segment) / segments);
      const [x, y, z] = [sinePolar * cosineAround, sinePolar * sineAround, cosinePolar];
      const length = Math.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2);
      positions.push(a * x, b * y, c * z);
      normals.push(x / a / length, y / b / length, z / c / length);
    }
  }
  const indices: number[] = [];
  for (let ring = 0; ring < rings; ring++) {
    for (let segment = 0; segment < segments; segment++) {
      const corner = ring * (segments + 1) + segment;
      const below = corner + segments + 1;
      if (ring > 0) indices.push(corner, below, corner + 1);
      if (ring < rings - 1) indices.push(corner + 1, below, below + 1);
    }
  }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    indices: Uint32Array.from(indices),
  };
}
