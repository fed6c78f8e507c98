import {
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CapsuleGeometry,
  Color,
  CylinderGeometry,
  Mesh,
  MeshStandardMaterial,
  PlaneGeometry,
  SphereGeometry,
  SRGBColorSpace,
} from "three";
import type { Geom, Scene } from "#world/scene/scene.ts";
import { paintTexture } from "./surface-texture.ts";

/** Half the side of a plane that MuJoCo calls infinite (size 0), metres. */
const wideM = 4;

/** Scales the UVs of a geometry so that one unit is one metre along the surface. */
function stretchUv(geometry: BufferGeometry, alongU: number, alongV: number): BufferGeometry {
  const uv = geometry.getAttribute("uv");
  for (let index = 0; index < uv.count; index++) uv.setXY(index, uv.getX(index) * alongU, uv.getY(index) * alongV);
  return geometry;
}

/** A box whose six faces each carry UVs in metres (three's face order: +x, -x, +y, -y, +z, -z; four corners each). */
function boxGeometry(x: number, y: number, z: number): BufferGeometry {
  const geometry = new BoxGeometry(2 * x, 2 * y, 2 * z);
  const faces = [
    [z, y],
    [z, y],
    [x, z],
    [x, z],
    [x, y],
    [x, y],
  ] as const;
  const uv = geometry.getAttribute("uv");
  for (let index = 0; index < uv.count; index++) {
    const [halfU, halfV] = faces[index >> 2]!;
    uv.setXY(index, uv.getX(index) * 2 * halfU, uv.getY(index) * 2 * halfV);
  }
  return geometry;
}

function meshGeometry(scene: Scene, name: string | undefined): BufferGeometry {
  const mesh = scene.meshes?.[name ?? ""];
  if (!mesh) throw new Error(`scene: must have a mesh named "${name}", got none. Record it again.`);
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(mesh.positions, 3));
  geometry.setAttribute("normal", new BufferAttribute(mesh.normals, 3));
  // Top projection in metres: meshes carry no UVs of their own.
  const uv = new Float32Array((mesh.positions.length / 3) * 2);
  for (let vertex = 0; vertex < uv.length / 2; vertex++) {
    uv[2 * vertex] = mesh.positions[3 * vertex]!;
    uv[2 * vertex + 1] = mesh.positions[3 * vertex + 1]!;
  }
  geometry.setAttribute("uv", new BufferAttribute(uv, 2));
  geometry.setIndex(new BufferAttribute(mesh.indices, 1));
  return geometry;
}

/** Triangles of a geom in its own frame, sizes as MuJoCo means them (half-extents, long axis Z). */
export function geomGeometry(geom: Geom, scene: Scene): BufferGeometry {
  const [a = 0, b = 0, c = 0] = geom.size;
  const round = 2 * Math.PI * a;
  switch (geom.type) {
    case "plane": {
      const [x, y] = [a || wideM, b || wideM];
      return stretchUv(new PlaneGeometry(2 * x, 2 * y), 2 * x, 2 * y);
    }
    case "sphere":
      return stretchUv(new SphereGeometry(a, 40, 28), round, round / 2);
    case "capsule":
      return stretchUv(new CapsuleGeometry(a, 2 * b, 12, 36).rotateX(Math.PI / 2), round, 2 * (a + b));
    case "cylinder":
      return stretchUv(new CylinderGeometry(a, a, 2 * b, 48).rotateX(Math.PI / 2), round, 2 * b);
    case "box":
      return boxGeometry(a, b, c);
    case "mesh":
      return meshGeometry(scene, geom.mesh);
  }
}

/** One three.js mesh per geom, posed from outside (`matrixAutoUpdate` is off). */
export function buildMeshes(scene: Scene): Mesh<BufferGeometry, MeshStandardMaterial>[] {
  return scene.geoms.map((geom) => {
    const { rgba, texture } = geom.material;
    const material = new MeshStandardMaterial({
      roughness: texture ? 0.85 : 0.55,
      metalness: 0,
      transparent: rgba[3] < 1,
      opacity: rgba[3],
    });
    if (texture) {
      material.map = paintTexture(geom.material);
      material.map.repeat.set(texture.repeat, texture.repeat);
    } else {
      material.color = new Color().setRGB(rgba[0], rgba[1], rgba[2], SRGBColorSpace);
    }
    const mesh = new Mesh(geomGeometry(geom, scene), material);
    mesh.name = geom.name;
    mesh.castShadow = geom.type !== "plane" && rgba[3] === 1;
    mesh.receiveShadow = true;
    mesh.matrixAutoUpdate = false;
    mesh.frustumCulled = false;
    mesh.visible = rgba[3] > 0;
    return mesh;
  });
}
