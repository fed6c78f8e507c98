import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "@jest/globals";
import { identityPose, jointPoses, type KinematicChain } from "#core/geometry/kinematics.ts";
import { matrixFromQuaternion } from "#core/geometry/quaternion.ts";
import { createRng } from "#core/rng.ts";
import { pandaChain } from "#world/embodiments/gripper/panda.ts";
import { widowxChain } from "#world/embodiments/gripper/widowx.ts";
import { readModelFile } from "#world/physics/model-file.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { Simulation } from "#world/physics/simulation.ts";
import { drawModelFile } from "#world/portrait.ts";

const mujoco = await loadPhysics();
const folder = mkdtempSync(join(tmpdir(), "public-"));
afterAll(() => rmSync(folder, { recursive: true }));
const models = fileURLToPath(new URL("../../../../shared/data/robot_models/", import.meta.url));
const withModels = existsSync(models) ? describe : describe.skip;

withModels("robots of other people's making (needs ../shared/data/robot_models)", () => {
  it.each(["trossen_wx250s/wx250s.xml", "trs_so_arm100/so_arm100.xml", "google_robot/robot.xml"])(
    "%s loads, holds still under control and is drawn",
    async (name) => {
      const path = join(models, name);
      const simulation = new Simulation(mujoco, await readModelFile(path));
      simulation.resetToKeyframe();
      simulation.advance(200, simulation.controls());
      expect(simulation.isUnstable()).toBe(false);
      simulation.close();
      const { data } = await drawModelFile(path, 64);
      expect(new Set(data).size).toBeGreaterThan(30);
    },
  );

  /** Compares our chain with a body of the public model, both standing at the origin. */
  async function compare(path: string, names: readonly string[], body: string, chain: KinematicChain) {
    const simulation = new Simulation(mujoco, await readModelFile(path));
    const rng = createRng(body);
    for (let pose = 0; pose < 20; pose++) {
      const positions = chain.joints.map(({ low, high }) => rng.uniform(low, high));
      for (const [index, name] of names.entries()) {
        simulation.setPositions(simulation.joint(name).position, [positions[index]!]);
      }
      simulation.refresh();
      const theirs = simulation.body(body);
      const ours = jointPoses({ ...chain, worldFromBase: identityPose }, positions).at(-1)!;
      expect(ours.position).toBeAllClose(theirs.position, { absolute: 1e-6 });
      expect(matrixFromQuaternion(ours.quaternion)).toBeAllClose(theirs.rotation, { absolute: 1e-6 });
    }
    for (const [index, name] of names.entries()) {
      const { low, high } = chain.joints[index]!;
      expect([...simulation.range(name)]).toBeAllClose([low, high], { absolute: 1e-4 });
    }
    simulation.close();
  }

  it("the WidowX has our chain's kinematics and limits", async () => {
    const names = ["waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate"];
    await compare(join(models, "trossen_wx250s/wx250s.xml"), names, "wx250s/gripper_link", widowxChain);
  });

  it("the Panda has our chain's kinematics and limits", async () => {
    execFileSync("tar", ["-xzf", join(models, "franka_emika_panda.tar.gz"), "-C", folder]);
    const names = Array.from({ length: 7 }, (_, index) => `joint${index + 1}`);
    await compare(join(folder, "franka_emika_panda/panda.xml"), names, "link7", pandaChain);
  });
});
