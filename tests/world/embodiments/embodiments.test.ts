import { afterAll, describe, expect, it } from "@jest/globals";
import { ConfigError } from "#core/errors.ts";
import { clipAction, moveTarget, planarDelta } from "#world/embodiments/embodiment.ts";
import { drawInstance, findEmbodiment, pushPresets } from "#world/index.ts";
import { loadPhysics } from "#world/physics/mujoco.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";
import { TabletopSimulation } from "#world/tabletop/simulation.ts";

const simulation = new TabletopSimulation(await loadPhysics());
afterAll(() => simulation.close());
const start = (embodiment: string, seed = 1) =>
  simulation.reset(drawInstance({ suite: pushPresets.demo, embodiment, split: "seen", seed }));

describe("clipAction", () => {
  it("keeps what is inside, clips what is not and takes no number for no move", () => {
    expect([...clipAction(planarDelta, [0.01, -0.5])]).toEqual([Math.fround(0.01), Math.fround(-0.03)]);
    expect([...clipAction(planarDelta, [Number.NaN, Number.POSITIVE_INFINITY])]).toEqual([0, 0]);
  });
});

describe("moveTarget", () => {
  it("stops at the border of the reach", () => {
    expect(moveTarget([0.3, 0], [0.02, -0.01])).toEqual([0.31, -0.01]);
    expect(moveTarget([-0.31, -0.31], [-0.03, -0.03])).toEqual([-0.31, -0.31]);
  });
});

describe.each(["pusher", "arm", "hand"])("%s", (id) => {
  const body = findEmbodiment(id);

  it("starts at rest where the instance says", () => {
    start(id);
    const tip = simulation.truth().tip;
    const { tip: wanted } = simulation.instance.initial as { tip: readonly number[] };
    expect(tip).toBeAllClose(wanted, { absolute: 2e-5 });
    simulation.advance([0, 0]);
    expect(simulation.truth().tip).toBeAllClose(tip, { absolute: 1e-4 });
  });

  it("goes where its actions lead, trailing by less than a centimetre", () => {
    start(id);
    const tip = [...simulation.truth().tip];
    const toMiddle = tip.map((value) => (value > 0 ? -0.015 : 0.015));
    for (let step = 0; step < 8; step++) simulation.advance(toMiddle);
    const wanted = tip.map((value, axis) => value + 8 * toMiddle[axis]!);
    const trail = Math.hypot(...simulation.truth().tip.map((value, axis) => value - wanted[axis]!));
    expect(trail).toBeLessThan(0.01);
    for (let step = 0; step < 3; step++) simulation.advance([0, 0]);
    expect(simulation.truth().tip).toBeAllClose(wanted, { absolute: 1e-3 });
  });

  it("has as many state values as names and units", () => {
    start(id);
    expect(simulation.state().length).toBe(body.stateNames.length);
    expect(body.stateUnits.length).toBe(body.stateNames.length);
    expect(simulation.state().slice(-2)).toBeAllClose(simulation.truth().tip, { absolute: 1e-6 });
  });

  it("paints every geom that is seen, and no other", () => {
    start(id);
    const { materials } = (simulation.instance.initial as TabletopInitial).looks;
    const seen = simulation.scene.geoms.map(({ name }) => name);
    expect(Object.keys(materials).sort()).toEqual([...seen].sort());
  });

  it("has the cameras that it names", () => {
    start(id);
    expect(simulation.scene.cameras.map(({ name }) => name)).toEqual(body.cameras);
  });

  it("compiles in every variant", () => {
    for (let seed = 0; seed < 6; seed++) start(id, seed);
    expect(simulation.scene.geoms.length).toBeGreaterThan(5);
  });
});

describe("findEmbodiment", () => {
  it("lists what there is", () => {
    expect(() => findEmbodiment("crane")).toThrow(ConfigError);
    expect(() => findEmbodiment("crane")).toThrow(
      'must be one of pusher, arm, hand, arm-joint-position, arm-joint-velocity, got "crane"',
    );
  });
});
