import { afterAll, describe, expect, it } from "@jest/globals";
import { drawInstance, findEmbodiment, findSuite, pickPlacePresets, pushPresets } from "#world/index.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { TabletopSimulation } from "#world/tabletop/simulation.ts";

const simulation = new TabletopSimulation(await loadPhysics());
afterAll(() => simulation.close());

const start = (embodiment: string) => {
  const suite = embodiment.startsWith("arm") ? pushPresets.demo : pickPlacePresets.simpler;
  simulation.reset(drawInstance({ suite, embodiment, split: "seen", seed: 1 }));
  return findEmbodiment(embodiment, suite.suite);
};
const joints = (first: string, count: number) => [...simulation.joints(first, count).positions];

describe("joint positions", () => {
  it("go where they are sent, no faster than the limits", () => {
    const { space } = start("arm-joint-position");
    expect(space.names).toEqual(["waist", "shoulder", "elbow", "forearm roll", "wrist angle", "wrist rotate"]);
    const from = joints("waist", 6);
    const to = from.map((value, index) => (index === 0 ? value - Math.sign(value) * 0.5 : value));
    simulation.advance(Float64Array.from(to));
    // Pi radians per second for a tenth of a second.
    expect(Math.abs(joints("waist", 1)[0]! - from[0]!)).toBeLessThan(0.1 * Math.PI);
    for (let step = 0; step < 5; step++) simulation.advance(Float64Array.from(to));
    expect(joints("waist", 6)).toBeAllClose(to, { absolute: 2e-3 });
  });

  it("have limits in radians and a gripper between 0 and 1", () => {
    const { space } = start("panda-joint-position");
    expect(space).toMatchObject({ kind: "joint-position", gripper: 7 });
    expect([space.limits.low[3], space.limits.high[3]]).toEqual([-3.0718, -0.0698]);
    expect([space.limits.low[7], space.limits.high[7], space.units[7]]).toEqual([0, 1, "1"]);
  });
});

describe("joint velocities", () => {
  it("move for as long as they are sent", () => {
    const { space } = start("widowx-joint-velocity");
    expect(space.units.slice(0, 2)).toEqual(["rad/s", "rad/s"]);
    const [from] = joints("waist", 1);
    const speed = -Math.sign(from!) * 0.5;
    for (let step = 0; step < 4; step++) simulation.advance(Float64Array.of(speed, 0, 0, 0, 0, 0, 1));
    for (let step = 0; step < 2; step++) simulation.advance(new Float64Array(7));
    // 0.5 rad/s at 5 Hz for four steps.
    expect(joints("waist", 1)[0]! - from!).toBeCloseTo(0.4 * Math.sign(speed), 2);
  });
});

describe.each(["arm-joint-position", "arm-joint-velocity", "widowx-joint-position", "panda-joint-velocity"])(
  "%s",
  (embodiment) => {
    it("is driven by the suite's expert through the tool", () => {
      const { space } = start(embodiment);
      const { instance } = simulation;
      const expert = findSuite(instance.suite).expert(instance, "joint");
      for (let step = 0; step < 60; step++) {
        const action = simulation.fromTool(expert.act(simulation.truth()));
        expect(action.length).toBe(space.names.length);
        if (simulation.advance(action).progress.done) break;
      }
      expect(simulation.verdict()).toEqual({ success: true, reasons: [] });
    });

    it("goes on from a snapshot the same", () => {
      const { space } = start(embodiment);
      const rest = space.limits.low.map((low, index) =>
        space.kind === "joint-velocity" ? 0.2 : (low + space.limits.high[index]!) / 2,
      );
      simulation.advance(rest);
      const saved = simulation.snapshot();
      const run = () => {
        simulation.advance(rest);
        simulation.advance(simulation.fromTool(new Float32Array(7)));
        return simulation.snapshot();
      };
      const first = run();
      simulation.restore(saved);
      expect(run()).toEqual(first);
    });
  },
);
