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

/** Unrolls a round body: scales three's UVs so that one unit is one metre along the surface. */
function unrollUv(geometry: BufferGeometry, alongU: number, alongV: number): BufferGeometry {
  const uv = geometry.getAttribute("uv");
  for (let index = 0; index < uv.count; index++) uv.setXY(index, uv.getX(index) * alongU, uv.getY(index) * alongV);
  return geometry;
}

/** UVs in metres, seen along the axis that the normal is nearest to: as the cameras' rasteriser lays its textures. */
function projectUv(geometry: BufferGeometry): BufferGeometry {
  const [position, normal] = [geometry.getAttribute("position"), geometry.getAttribute("normal")];
  const uv = new Float32Array(2 * position.count);
  for (let index = 0; index < position.count; index++) {
    const [x, y, z] = [normal.getX(index), normal.getY(index), normal.getZ(index)].map(Math.abs) as [
      number,
      number,
      number,
    ];
    const isTop = z >= x && z >= y;
    uv[2 * index] = isTop || y > x ? position.getX(index) : position.getY(index);
    uv[2 * index + 1] = isTop ? position.getY(index) : position.getZ(index);
  }
  return geometry.setAttribute("uv", new BufferAttribute(uv, 2));
}

function meshGeometry(scene: Scene, name: string | undefined): BufferGeometry {
  const mesh = scene.meshes?.[name ?? ""];
  if (!mesh) throw new Error(`scene: must have a mesh named "${name}", got none. Record it again.`);
  return new BufferGeometry()
    .setAttribute("position", new BufferAttribute(mesh.positions, 3))
    .setAttribute("normal", new BufferAttribute(mesh.normals, 3))
    .setIndex(new BufferAttribute(mesh.indices, 1));
}

/** Triangles of a geom in its own frame, sizes as MuJoCo means them (half-extents, long axis Z). */
export function geomGeometry(geom: Geom, scene: Scene): BufferGeometry {
  const [a = 0, b = 0, c = 0] = geom.size;
  const round = 2 * Math.PI * a;
  switch (geom.type) {
    case "plane":
      return projectUv(new PlaneGeometry(2 * (a || wideM), 2 * (b || wideM)));
    case "sphere":
      return unrollUv(new SphereGeometry(a, 40, 28), round, round / 2);
    case "capsule":
      return unrollUv(new CapsuleGeometry(a, 2 * b, 12, 36).rotateX(Math.PI / 2), round, 2 * (a + b));
    case "cylinder":
      return unrollUv(new CylinderGeometry(a, a, 2 * b, 48).rotateX(Math.PI / 2), round, 2 * b);
    case "box":
      return projectUv(new BoxGeometry(2 * a, 2 * b, 2 * c));
    case "mesh":
      return projectUv(meshGeometry(scene, geom.mesh));
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
      material.map = paintTexture(geom.material, texture);
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
