import { describe, expect, it } from "@jest/globals";
import { Box3, Vector3 } from "three";
import { buildMeshes, geomGeometry } from "#sim-viewer/src/three/scene-meshes.ts";
import { paintTexture } from "#sim-viewer/src/three/surface-texture.ts";
import type { Geom, Material, Scene } from "#world/scene/scene.ts";

type ImageBytes = { data: Uint8Array; width: number; height: number };

const geom = (type: Geom["type"], size: number[], more: Partial<Geom> = {}): Geom => ({
  name: type,
  type,
  size,
  material: { rgba: [1, 0, 0, 1] },
  body: 1,
  ...more,
});
const prism = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 2, 0),
  normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1),
  indices: Uint32Array.of(0, 1, 2),
};
const sceneOf = (...geoms: Geom[]): Scene => ({
  geoms,
  cameras: [],
  lights: [],
  ambient: 0.4,
  background: [0, 0, 0],
  meshes: { prism },
});
const sidesOf = (one: Geom) => {
  const geometry = geomGeometry(one, sceneOf(one));
  return new Box3()
    .setFromBufferAttribute(geometry.getAttribute("position") as never)
    .getSize(new Vector3())
    .toArray();
};

describe("geomGeometry", () => {
  it.each([
    ["plane", [1, 2], [2, 4, 0]],
    ["plane", [0, 0], [8, 8, 0]],
    ["sphere", [0.5], [1, 1, 1]],
    ["capsule", [0.5, 1], [1, 1, 3]],
    ["cylinder", [0.5, 1], [1, 1, 2]],
    ["box", [1, 2, 3], [2, 4, 6]],
  ] as const)("makes a %s of half-sizes %p, along Z", (type, size, sides) => {
    expect(sidesOf(geom(type, [...size]))).toBeAllClose([...sides], { relative: 0.01 });
  });

  it("takes a mesh as it is and refuses one that is not there", () => {
    expect(sidesOf(geom("mesh", [], { mesh: "prism" }))).toEqual([1, 2, 0]);
    expect(() => sidesOf(geom("mesh", [], { mesh: "cube" }))).toThrow('scene: must have a mesh named "cube"');
  });

  it("measures textures in metres along every face of a box", () => {
    const uv = geomGeometry(geom("box", [1, 2, 3]), sceneOf()).getAttribute("uv");
    // Corners of faces +x, +y and +z: textures run along y and z, x and z, x and y.
    const extents = [0, 8, 16].map((first) => {
      const corners = [0, 1, 2, 3].map((corner) => first + corner);
      return [Math.max(...corners.map((at) => uv.getX(at))), Math.max(...corners.map((at) => uv.getY(at)))];
    });
    expect(extents).toEqual([
      [2, 3],
      [1, 3],
      [1, 2],
    ]);
  });
});

describe("paintTexture", () => {
  it("paints a tile that runs from the material's colour to the texture's", () => {
    const texture = { kind: "checker", rgb: [1, 0, 0], repeat: 4, seed: 1 } as const;
    const material: Material = { rgba: [0, 0, 1, 1], texture };
    const { data, width, height } = paintTexture(material, texture).image as ImageBytes;
    const texel = (column: number, row: number) => [...data.subarray(4 * (row * width + column)).subarray(0, 4)];
    expect([width, height]).toEqual([256, 256]);
    expect(texel(0, 0)).toEqual([255, 0, 0, 255]);
    expect(texel(200, 0)).toEqual([0, 0, 255, 255]);
    expect(texel(200, 200)).toEqual([255, 0, 0, 255]);
  });
});

describe("buildMeshes", () => {
  it("hides what is fully transparent and lets only opaque solids cast shadows", () => {
    const glass = { rgba: [1, 1, 1, 0.5] as const };
    const meshes = buildMeshes(
      sceneOf(geom("box", [1, 1, 1]), geom("sphere", [1], { material: glass }), geom("plane", [1, 1]), {
        ...geom("sphere", [1]),
        material: { rgba: [1, 1, 1, 0] },
      }),
    );
    expect(meshes.map(({ visible }) => visible)).toEqual([true, true, true, false]);
    expect(meshes.map(({ castShadow }) => castShadow)).toEqual([true, false, false, false]);
  });
});
