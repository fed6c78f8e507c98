import { afterAll, describe, expect, it } from "@jest/globals";
import { forwardKinematics } from "#core/geometry/kinematics.ts";
import { matrixFromQuaternion, rotate } from "#core/geometry/quaternion.ts";
import { createRng } from "#core/rng.ts";
import { endEffectorDelta } from "#world/embodiments/gripper/gripper-effector.ts";
import { pandaChain } from "#world/embodiments/gripper/panda.ts";
import { widowxChain } from "#world/embodiments/gripper/widowx.ts";
import { drawInstance, findEmbodiment, findSuite, pickPlacePresets } from "#world/index.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { Simulation } from "#world/physics/simulation.ts";
import type { PickTruth } from "#world/suites/pick-place/goal.ts";
import { pickPlaceSuite } from "#world/suites/pick-place/suite.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";
import { tabletopModel } from "#world/tabletop/model.ts";
import { TabletopSimulation } from "#world/tabletop/simulation.ts";

const mujoco = await loadPhysics();
const simulation = new TabletopSimulation(mujoco);
afterAll(() => simulation.close());

const start = (embodiment: string, seed = 1) =>
  simulation.reset(drawInstance({ suite: pickPlacePresets.simpler, embodiment, split: "seen", seed }));
const truth = () => simulation.truth() as PickTruth;
const move = (...action: number[]) =>
  simulation.advance(Float64Array.from({ length: 7 }, (_, index) => action[index] ?? 0));

describe.each([["widowx", widowxChain] as const, ["panda", pandaChain] as const])("the chain of %s", (id, chain) => {
  it("is what MuJoCo simulates", () => {
    const model = tabletopModel({
      embodiment: findEmbodiment(id, "pick-place"),
      variant: "parallel jaws",
      scenery: { assets: "", bodies: "" },
      physics: pickPlaceSuite.physics,
      fovyDeg: 40,
      dynamics: { friction: 1, mass: 1 },
    });
    const arm = new Simulation(mujoco, model);
    const rng = createRng(id);
    const first = arm.joint(chain.joints[0]!.name).position;
    for (let pose = 0; pose < 30; pose++) {
      const positions = chain.joints.map(({ low, high }) => rng.uniform(low, high));
      arm.setPositions(first, positions);
      arm.refresh();
      const { position, rotation } = arm.site("tip");
      const tip = forwardKinematics(chain, positions);
      expect(tip.position).toBeAllClose(position, { absolute: 1e-9 });
      expect(matrixFromQuaternion(tip.quaternion)).toBeAllClose(rotation, { absolute: 1e-9 });
    }
    arm.close();
  });
});

describe.each(["widowx", "panda", "hand"])("a %s with a gripper", (id) => {
  it("starts where the instance says, pointing down, open", () => {
    start(id);
    const [x, y, z] = (simulation.instance.initial as TabletopInitial).tip;
    const { tool, opening } = truth();
    expect(tool.position).toBeAllClose([x!, y!, z!], { absolute: 1e-3 });
    expect(rotate(tool.quaternion, [0, 0, 1])).toBeAllClose([0, 0, -1], { absolute: 5e-3 });
    expect(opening).toBeCloseTo(1, 2);
  });

  it("follows deltas along every axis and about the vertical", () => {
    start(id);
    const before = truth().tool;
    for (let step = 0; step < 4; step++) move(-Math.sign(before.position[0]) * 0.01, -0.01, 0.005, 0, 0, 0.08, 1);
    move(0, 0, 0, 0, 0, 0, 1);
    const { position, quaternion } = truth().tool;
    expect(position[0] - before.position[0]).toBeCloseTo(-Math.sign(before.position[0]) * 0.04, 2);
    expect(position[1] - before.position[1]).toBeCloseTo(-0.04, 2);
    expect(position[2] - before.position[2]).toBeCloseTo(0.02, 2);
    const [fromX, fromY] = rotate(before.quaternion, [1, 0, 0]);
    const [toX, toY] = rotate(quaternion, [1, 0, 0]);
    expect(Math.atan2(fromX * toY - fromY * toX, fromX * toX + fromY * toY)).toBeCloseTo(0.32, 2);
  });

  it("opens and closes", () => {
    start(id);
    for (let step = 0; step < 4; step++) move(0, 0, 0, 0, 0, 0, 0);
    expect(truth().opening).toBeLessThan(0.03);
    for (let step = 0; step < 4; step++) move(0, 0, 0, 0, 0, 0, 0.5);
    expect(truth().opening).toBeCloseTo(0.5, 1);
  });

  it("does not go where it cannot: low, far or out of reach", () => {
    start(id);
    for (let step = 0; step < 12; step++) move(0, 0, -0.04, 0, 0, 0, 1);
    expect(truth().tool.position[2]).toBeGreaterThan(0.008);
    for (let step = 0; step < 20; step++) move(0.04, -0.04, 0.02, 0, 0, 0, 1);
    const [x, y] = truth().tool.position;
    expect(x).toBeLessThan(0.27);
    expect(y).toBeGreaterThan(-0.23);
  });

  it("has as many state values and log columns as names, and paints what is seen", () => {
    start(id);
    const body = findEmbodiment(id, "pick-place");
    expect(simulation.state().length).toBe(body.stateNames.length);
    expect(body.stateUnits.length).toBe(body.stateNames.length);
    const { materials } = (simulation.instance.initial as TabletopInitial).looks;
    const seen = simulation.scene.geoms.map(({ name }) => name);
    for (const name of Object.values(body.paint).flat()) {
      expect(name in materials).toBe(true);
      if (!name.endsWith("pad")) expect(seen).toContain(name);
    }
    expect(simulation.scene.cameras.map(({ name }) => name)).toEqual(body.cameras);
  });

  it("lifts what it grips and carries it", () => {
    start(id);
    const expert = findSuite("pick-place").expert(simulation.instance, "test");
    const subject = (simulation.instance.goal as { subject: string }).subject;
    let highest = 0;
    for (let step = 0; step < 60; step++) {
      const { progress } = simulation.advance(expert.act(truth()));
      highest = Math.max(highest, truth().things[subject]!.position[2]);
      if (progress.done) break;
    }
    expect(highest).toBeGreaterThan(0.09);
    expect(simulation.verdict()).toEqual({ success: true, reasons: [] });
  });
});

describe("endEffectorDelta", () => {
  it("names seven numbers with units and limits, the last the gripper", () => {
    const { names, units, limits, gripper } = endEffectorDelta;
    expect([units.length, limits.low.length, limits.high.length]).toEqual([7, 7, 7]);
    expect(names[gripper!]).toBe("gripper");
  });
});
