import { describe, expect, it } from "@jest/globals";
import { ConfigError } from "#core/errors.ts";
import { acquireModel, loadPhysics, modelSource, releaseModel } from "#world/physics/mujoco.ts";

const mujoco = await loadPhysics();

function refusal(xml: string): string {
  try {
    acquireModel(mujoco, modelSource(xml));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error("the model was accepted");
}

describe("acquireModel", () => {
  it("names element and line of what is wrong in an MJCF", () => {
    const message = refusal(`<mujoco>
  <worldbody>
    <body>
      <geom type="ball" size="1"/>
    </body>
  </worldbody>
</mujoco>`);
    expect(message).toMatch(/^model: must be valid MJCF or URDF, got ".*geom.*line 4.*Mend the named element\.$/s);
  });

  it("refuses text that is not XML and models that cannot move", () => {
    expect(refusal("not a model")).toContain("model: must be valid MJCF or URDF");
    expect(refusal('<mujoco><worldbody><body name="massless"><freejoint/></body></worldbody></mujoco>')).toContain(
      "massless",
    );
  });

  it("takes URDF as well", () => {
    const urdf = `<robot name="pole"><link name="base"/>
      <link name="rod"><inertial><mass value="1"/><inertia ixx="0.1" iyy="0.1" izz="0.1" ixy="0" ixz="0" iyz="0"/></inertial></link>
      <joint name="swing" type="continuous"><parent link="base"/><child link="rod"/><axis xyz="0 1 0"/></joint></robot>`;
    const model = acquireModel(mujoco, modelSource(urdf));
    expect(model.nq).toBe(1);
    releaseModel(modelSource(urdf));
  });

  it("compiles a text once and frees it with its last user", () => {
    const xml = '<mujoco><worldbody><geom name="ball" type="sphere" size="0.1"/></worldbody></mujoco>';
    const first = acquireModel(mujoco, modelSource(xml));
    expect(acquireModel(mujoco, modelSource(xml))).toBe(first);
    releaseModel(modelSource(xml));
    expect(first.ngeom).toBe(1);
    releaseModel(modelSource(xml));
    expect(acquireModel(mujoco, modelSource(xml))).not.toBe(first);
    releaseModel(modelSource(xml));
  });
});
