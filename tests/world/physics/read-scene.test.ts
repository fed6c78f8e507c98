import { afterAll, describe, expect, it } from "@jest/globals";
import { acquireModel, loadPhysics, modelSource, releaseModel } from "#world/physics/mujoco.ts";
import { dressScene, type Looks, readGeometry } from "#world/physics/read-scene.ts";

const mujoco = await loadPhysics();
const xml = `<mujoco>
  <asset><mesh name="wedge" vertex="0 0 0  0.3 0 0  0 0.3 0  0 0 0.3"/></asset>
  <worldbody>
    <geom name="floor" type="plane" size="2 3 0.1"/>
    <geom name="hidden" type="sphere" size="0.1" rgba="1 1 1 0"/>
    <body name="first"><geom name="pill" type="capsule" size="0.1 0.2" rgba="0.1 0.2 0.3 1"/><geom name="egg" type="ellipsoid" size="0.1 0.2 0.3"/></body>
    <body name="second"><geom name="wedge" type="mesh" mesh="wedge"/><geom type="box" size="0.1 0.2 0.3"/></body>
    <camera name="top" fovy="33"/>
  </worldbody></mujoco>`;

const source = modelSource(xml);

const looks: Looks = {
  materials: { pill: { rgba: [1, 0, 0, 1] } },
  lights: [],
  ambient: 0.5,
  background: [0, 0, 0],
};

describe("readGeometry", () => {
  const geometry = readGeometry(mujoco, acquireModel(mujoco, source));
  afterAll(() => releaseModel(source));
  const geom = (name: string) => geometry.geoms.find((candidate) => candidate.name === name)!;

  it("lists visible geoms with MuJoCo's sizes and bodies, and cameras", () => {
    expect(geometry.geoms.map(({ name }) => name)).toEqual(["floor", "pill", "egg", "wedge", "geom 5"]);
    expect([...geometry.geomIds]).toEqual([0, 2, 3, 4, 5]);
    expect(geom("floor").size).toEqual([2, 3]);
    expect(geom("pill")).toMatchObject({ type: "capsule", size: [0.1, 0.2], body: 1 });
    expect(geom("pill").material.rgba).toBeAllClose([0.1, 0.2, 0.3, 1]);
    expect(geom("geom 5")).toMatchObject({ type: "box", size: [0.1, 0.2, 0.3], body: 2 });
    expect(geometry.cameras).toEqual([{ name: "top", fovyDeg: 33 }]);
  });

  it("reads meshes back as closed triangles with outward normals", () => {
    const { positions, normals, indices } = geometry.meshes[geom("wedge").mesh!]!;
    expect(indices.length).toBe(12);
    let volume = 0;
    for (let triangle = 0; triangle < 4; triangle++) {
      const [a, b, c] = [0, 1, 2].map((corner) =>
        positions.subarray(9 * triangle + 3 * corner, 9 * triangle + 3 * corner + 3),
      );
      volume +=
        (a![0]! * (b![1]! * c![2]! - b![2]! * c![1]!) -
          a![1]! * (b![0]! * c![2]! - b![2]! * c![0]!) +
          a![2]! * (b![0]! * c![1]! - b![1]! * c![0]!)) /
        6;
      expect(Math.hypot(...normals.subarray(9 * triangle, 9 * triangle + 3))).toBeCloseTo(1, 5);
    }
    // Positive only when every face is counter-clockwise seen from outside: 0.3^3 / 6.
    expect(volume).toBeCloseTo(0.0045, 6);
  });

  it("keeps sharp edges sharp: a wedge's corners have the normals of their faces", () => {
    const { positions, normals } = geometry.meshes[geom("wedge").mesh!]!;
    for (let face = 0; face < 4; face++) {
      const [a, b, c] = [0, 1, 2].map((corner) => [
        ...normals.subarray(9 * face + 3 * corner, 9 * face + 3 * corner + 3),
      ]);
      expect([...b!, ...c!]).toBeAllClose([...a!, ...a!]);
    }
    expect(positions.length).toBe(36);
  });

  it("leaves out geoms of hidden groups and takes colours of materials", () => {
    const text = modelSource(`<mujoco><asset><material name="teal" rgba="0 0.5 0.5 1"/></asset><worldbody>
      <geom name="hull" type="sphere" size="0.1" group="3"/><geom name="skin" type="sphere" size="0.1" material="teal"/>
      <geom name="own" type="sphere" size="0.1" material="teal" rgba="1 0 0 1"/></worldbody></mujoco>`);
    const { geoms } = readGeometry(mujoco, acquireModel(mujoco, text));
    releaseModel(text);
    expect(geoms.map(({ name }) => name)).toEqual(["skin", "own"]);
    expect(geoms.map(({ material }) => [...material.rgba])).toEqual([
      [0, 0.5, 0.5, 1],
      [1, 0, 0, 1],
    ]);
  });

  it("turns ellipsoids into smooth meshes of their size", () => {
    const { positions } = geometry.meshes[geom("egg").mesh!]!;
    for (const [axis, half] of [0.1, 0.2, 0.3].entries()) {
      const along = positions.filter((_, index) => index % 3 === axis);
      expect(Math.max(...along)).toBeCloseTo(half, 5);
    }
  });

  it("is dressed by name, and keeps the model's colours else", () => {
    const scene = dressScene(geometry, looks);
    expect(scene.geoms[1]!.material.rgba).toEqual([1, 0, 0, 1]);
    expect(scene.geoms[0]!.material).toBe(geometry.geoms[0]!.material);
    expect(scene.ambient).toBe(0.5);
  });
});
