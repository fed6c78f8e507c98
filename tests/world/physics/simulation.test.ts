import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { loadPhysics } from "#world/physics/mujoco.ts";
import { Simulation } from "#world/physics/simulation.ts";

const mujoco = await loadPhysics();

const slider = `<mujoco><option timestep="0.01" gravity="0 0 0"/>
  <worldbody>
    <body name="cart"><joint name="x" type="slide" axis="1 0 0"/><geom name="cart" type="box" size="0.1 0.1 0.1" mass="1"/>
      <site name="edge" pos="0.1 0 0" quat="0 0 0 1"/></body>
    <body name="rig" mocap="true"><camera name="eye"/></body>
    <body name="free" pos="0 1 0"><freejoint name="free"/><geom name="ball" type="sphere" size="0.05" mass="0.1"/></body>
  </worldbody>
  <actuator><motor name="push" joint="x"/></actuator></mujoco>`;

describe("Simulation", () => {
  let simulation: Simulation;
  beforeAll(() => {
    simulation = new Simulation(mujoco, slider);
  });
  afterAll(() => simulation.close());

  it("leads the controls in a straight line to their target", () => {
    simulation.reset();
    // A unit mass under 0.1, 0.2, ... 1 N in steps of 10 ms: the velocity is their sum times 10 ms.
    simulation.advance(10, [1]);
    expect(simulation.velocities(simulation.joint("x").velocity, 1)[0]).toBeCloseTo(0.055, 10);
  });

  it("says where sites are, after the positions changed", () => {
    simulation.reset();
    simulation.setPositions(simulation.joint("x").position, [0.5]);
    simulation.refresh();
    const { position, rotation } = simulation.site("edge");
    expect(position).toBeAllClose([0.6, 0, 0]);
    // Half a turn about z.
    expect(rotation).toBeAllClose([-1, 0, 0, 0, -1, 0, 0, 0, 1]);
  });

  it("moves mocap bodies, and cameras with them", () => {
    simulation.reset();
    simulation.setMocap(0, [1, 2, 3], [0, 0, Math.SQRT1_2, Math.SQRT1_2]);
    simulation.refresh();
    const pose = simulation.pose(Int32Array.of(simulation.id("GEOM", "cart")));
    expect(pose.cameraPositions).toBeAllClose([1, 2, 3]);
    expect(pose.cameraRotations).toBeAllClose([0, -1, 0, 1, 0, 0, 0, 0, 1]);
    expect(pose.geomPositions).toBeAllClose([0, 0, 0]);
  });

  it("goes on to the last bit the same from a snapshot", () => {
    simulation.reset();
    simulation.advance(7, [2]);
    const saved = simulation.snapshot();
    simulation.advance(30, [-1]);
    const first = simulation.snapshot();
    simulation.restore(saved);
    expect(simulation.snapshot()).toEqual(saved);
    simulation.advance(30, [-1]);
    expect(simulation.snapshot()).toEqual(first);
  });

  it("goes back to bodies that sleep, also after they were woken", () => {
    const sleepers = `<mujoco><option timestep="0.005" integrator="implicitfast"><flag sleep="enable"/></option>
      <worldbody><geom name="floor" type="plane" size="2 2 0.1"/>
        <body name="ram" pos="-0.5 0 0.05"><joint name="ram" type="slide" axis="1 0 0"/><geom type="box" size="0.05 0.05 0.04" mass="1"/></body>
        <body name="box" pos="0 0 0.05"><freejoint name="box"/><geom type="box" size="0.05 0.05 0.05" mass="0.2"/></body>
        <body name="other" pos="0 0.5 0.05"><freejoint name="other"/><geom type="box" size="0.05 0.05 0.05" mass="0.2"/></body>
      </worldbody>
      <actuator><position name="ram" joint="ram" kp="500" kv="60"/></actuator></mujoco>`;
    const other = new Simulation(mujoco, sleepers);
    const box = other.joint("box").position;
    other.advance(200, [0]);
    const asleep = other.snapshot();
    const run = () => {
      other.advance(100, [0.6]);
      return other.snapshot();
    };
    const pushed = run();
    expect(other.positions(box, 1)[0]).toBeGreaterThan(0.04);
    other.restore(asleep);
    expect(other.snapshot()).toEqual(asleep);
    expect(run()).toEqual(pushed);
    // The last three numbers say which trees sleep: both boxes before, one of them after.
    expect([...asleep.slice(-3)].map((tree) => tree >= 0)).toEqual([false, true, true]);
    expect([...pushed.slice(-3)].map((tree) => tree >= 0)).toEqual([false, false, true]);
    other.close();
  });

  it("forgets everything with a reset", () => {
    simulation.reset();
    const fresh = simulation.snapshot();
    simulation.advance(5, [3]);
    expect(simulation.snapshot()).not.toEqual(fresh);
    simulation.reset();
    expect(simulation.snapshot()).toEqual(fresh);
  });

  it("notices broken physics, which MuJoCo itself resets silently", () => {
    simulation.reset();
    simulation.advance(2, [1]);
    expect(simulation.isUnstable()).toBe(false);
    simulation.setPositions(simulation.joint("x").position, [Number.NaN]);
    simulation.advance(1, [0]);
    expect(simulation.isUnstable()).toBe(true);
    simulation.reset();
    expect(simulation.isUnstable()).toBe(false);
  });

  it("names what a model does not have", () => {
    expect(() => simulation.id("JOINT", "y")).toThrow('no joint called "y"');
  });

  it("may be closed twice", () => {
    const other = new Simulation(mujoco, slider);
    other.close();
    other.close();
    expect(simulation.positions(0, 1).length).toBe(1);
  });
});
