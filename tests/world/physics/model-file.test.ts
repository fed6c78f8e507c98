import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { ConfigError } from "#core/errors.ts";
import { readModelFile } from "#world/physics/model-file.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { readGeometry } from "#world/physics/read-scene.ts";
import { Simulation } from "#world/physics/simulation.ts";
import { drawModelFile } from "#world/portrait.ts";

const mujoco = await loadPhysics();
const folder = mkdtempSync(join(tmpdir(), "model-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
};

const tetrahedron = ["v 0 0 0", "v 0.2 0 0", "v 0 0.2 0", "v 0 0 0.2", "f 1 3 2", "f 1 2 4", "f 1 4 3", "f 2 3 4"].join(
  "\n",
);

/** A binary STL of one tetrahedron. */
function stl(): Uint8Array {
  const corners = [0, 0, 0, 0.2, 0, 0, 0, 0.2, 0, 0, 0, 0.2];
  const faces = [0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3];
  const view = new DataView(new ArrayBuffer(84 + 50 * 4));
  view.setUint32(80, 4, true);
  for (let face = 0; face < 4; face++) {
    for (let corner = 0; corner < 3; corner++) {
      for (let axis = 0; axis < 3; axis++) {
        view.setFloat32(
          84 + 50 * face + 12 + 12 * corner + 4 * axis,
          corners[3 * faces[3 * face + corner]! + axis]!,
          true,
        );
      }
    }
  }
  return new Uint8Array(view.buffer);
}

describe("readModelFile", () => {
  it("finds meshes in the mesh folder and included files", async () => {
    write("robot/meshes/tip.obj", tetrahedron);
    write("robot/parts.xml", '<mujocoinclude><geom name="tip" type="mesh" mesh="tip"/></mujocoinclude>');
    const path = write(
      "robot/robot.xml",
      `<mujoco><compiler meshdir="meshes"/><asset><mesh name="tip" file="tip.obj"/></asset>
        <worldbody><include file="parts.xml"/></worldbody></mujoco>`,
    );
    const simulation = new Simulation(mujoco, await readModelFile(path));
    const { geoms, meshes } = readGeometry(mujoco, simulation.model);
    expect(geoms.map(({ name, type }) => [name, type])).toEqual([["tip", "mesh"]]);
    expect(Object.values(meshes)[0]!.indices.length).toBe(12);
    simulation.close();
  });

  it("finds a URDF's meshes in its package", async () => {
    write("ws/pole_description/meshes/pole.stl", stl());
    const path = write(
      "ws/pole_description/urdf/pole.urdf",
      `<robot name="pole"><link name="base"/><link name="pole">
        <inertial><mass value="1"/><inertia ixx="0.1" iyy="0.1" izz="0.1" ixy="0" ixz="0" iyz="0"/></inertial>
        <visual><geometry><mesh filename="package://pole_description/meshes/pole.stl"/></geometry></visual>
        <collision><geometry><mesh filename="package://pole_description/meshes/pole.stl"/></geometry></collision></link>
        <joint name="hinge" type="continuous"><parent link="base"/><child link="pole"/><axis xyz="0 1 0"/></joint></robot>`,
    );
    const simulation = new Simulation(mujoco, await readModelFile(path));
    expect(simulation.model.nq).toBe(1);
    expect(readGeometry(mujoco, simulation.model).geoms.every(({ type }) => type === "mesh")).toBe(true);
    simulation.close();
    const picture = await drawModelFile(path, 32);
    expect(new Set(picture.data).size).toBeGreaterThan(4);
  });

  it("names what is missing", async () => {
    const path = write("lost.xml", '<mujoco><asset><mesh name="a" file="gone.stl"/></asset></mujoco>');
    await expect(readModelFile(path)).rejects.toThrow(ConfigError);
    await expect(readModelFile(path)).rejects.toThrow(/lost\.xml: needs "gone\.stl", which is not in "\."/);
    await expect(readModelFile(join(folder, "none.xml"))).rejects.toThrow("must be an MJCF or URDF file");
    const urdf = write(
      "lost.urdf",
      '<robot name="a"><link name="l"><visual><geometry><mesh filename="package://b/c.stl"/></geometry></visual></link></robot>',
    );
    await expect(readModelFile(urdf)).rejects.toThrow(
      'needs "package://b/c.stl", which is not in beside it or above it',
    );
  });

  it("names element and line of a broken file", async () => {
    const path = write("broken.xml", "<mujoco>\n<worldbody>\n<geom type='sphere' size='-1'/>\n</worldbody></mujoco>");
    await expect(drawModelFile(path, 16)).rejects.toThrow(/line 3/);
  });
});
