import { afterAll, beforeEach, describe, expect, it } from "@jest/globals";
import { ConfigError, RobotError } from "#core/errors.ts";
import { armChain, armHome, armJointsAt, drawInstance, pushPresets, SimulatedArm } from "#world/index.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";

const draw = (embodiment: string, seed = 1) =>
  drawInstance({ suite: pushPresets.demo, embodiment, split: "seen", seed });
const instance = draw("arm");
const arm = await SimulatedArm.open(instance);
afterAll(() => arm.close());
beforeEach(() => arm.reset(instance));

const fastest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs));

describe("SimulatedArm", () => {
  it("stands still until it is told to move", () => {
    const { positionsRad, tip } = arm.read();
    arm.advance(0.5);
    expect(arm.read().positionsRad).toBeAllClose(positionsRad, { absolute: 1e-6 });
    expect(arm.read().timeS).toBeCloseTo(0.5, 9);
    expect(tip.position[2]).toBeCloseTo(0.008, 4);
    expect(arm.verdict()).toMatchObject({ isOver: false, elapsedS: 0, success: false });
  });

  it("gets where it is sent and rests there", () => {
    arm.setTargets(armHome);
    arm.advance(2);
    const { positionsRad, velocitiesRadS, tip } = arm.read();
    expect(positionsRad).toBeAllClose(armHome, { absolute: 1e-4 });
    expect(fastest(velocitiesRadS)).toBeLessThan(1e-3);
    expect(tip.position).toBeAllClose([0, 0, 0.15], { absolute: 1e-3 });
  });

  it("never exceeds its speed limits, however far the target and however the calls come", () => {
    arm.setTargets([3, -1.8, 1.5, 3, 2, -3]);
    let peak = 0;
    for (const durationS of Array.from({ length: 120 }, (_, call) => 0.003 + 0.001 * (call % 20))) {
      arm.advance(durationS);
      peak = Math.max(peak, fastest(arm.read().velocitiesRadS));
    }
    expect(peak).toBeGreaterThan(2.5);
    expect(peak).toBeLessThan(1.02 * armChain.joints[0]!.velocityLimit);
  });

  it("follows targets that come ten times a second within a centimetre", () => {
    let worst = 0;
    let joints = armHome;
    for (let tick = 0; tick < 60; tick++) {
      const angle = 0.1 * tick;
      const place = [0.2 * Math.cos(angle), 0.2 * Math.sin(angle)] as const;
      joints = armJointsAt(place, 0.02, joints)!;
      arm.setTargets(joints);
      arm.advance(0.1);
      const [x, y, z] = arm.read().tip.position;
      if (tick > 15) worst = Math.max(worst, Math.hypot(x - place[0], y - place[1], z - 0.02));
    }
    expect(worst).toBeLessThan(0.01);
  });

  it("clips targets to the joints' limits", () => {
    arm.setTargets([9, 0, 0, 0, 0, 0]);
    arm.advance(3);
    const { positionsRad } = arm.read();
    expect(positionsRad[0]).toBeLessThanOrEqual(armChain.joints[0]!.high + 1e-3);
    expect(positionsRad[0]).toBeGreaterThan(armChain.joints[0]!.high - 0.01);
  });

  it("stops where it is when held", () => {
    arm.setTargets(armHome);
    arm.advance(0.1);
    arm.hold();
    const { setpointsRad } = arm.read();
    arm.advance(1);
    expect(arm.read().positionsRad).toBeAllClose(setpointsRad, { absolute: 1e-4 });
  });

  it("refuses broken targets and keeps the last", () => {
    arm.setTargets(armHome);
    expect(() => arm.setTargets([0, 0, Number.NaN, 0, 0, 0])).toThrow(RobotError);
    expect(() => arm.setTargets([0, 0, Number.NaN, 0, 0, 0])).toThrow('got NaN for "elbow"');
    expect(() => arm.setTargets([0, 0])).toThrow("must be 6 finite joint positions, got 2 values");
    arm.advance(2);
    expect(arm.read().positionsRad).toBeAllClose(armHome, { absolute: 1e-4 });
  });

  it("keeps time that is shorter than a physics step for the next call", () => {
    for (let call = 0; call < 100; call++) arm.advance(0.0017);
    expect(arm.read().timeS).toBeCloseTo(0.17, 9);
  });

  it("judges the task from the first command on and stops judging at its time limit", () => {
    arm.advance(10);
    expect(arm.verdict().elapsedS).toBe(0);
    arm.setTargets(armHome);
    arm.advance(1);
    expect(arm.verdict()).toMatchObject({ isOver: false, success: false });
    expect(arm.verdict().elapsedS).toBeCloseTo(1, 9);
    arm.advance(9);
    expect(arm.verdict()).toMatchObject({ isOver: true, success: false });
    expect(arm.verdict().elapsedS).toBeCloseTo(6, 9);
    expect(arm.verdict().reasons.length).toBeGreaterThan(0);
  });

  it("solves a task that it is steered through", () => {
    const reach = Array.from({ length: 40 }, (_, seed) => draw("arm", seed)).find(({ task }) => task === "reach")!;
    arm.reset(reach);
    const { objects } = reach.initial as TabletopInitial;
    const red = objects.find(({ id }) => id === "red-cylinder")!.position;
    let [x, y] = arm.read().tip.position;
    let joints = arm.read().positionsRad;
    for (let tick = 0; tick < 60 && !arm.verdict().isOver; tick++) {
      const gap = Math.hypot(red[0] - x, red[1] - y);
      const step = Math.min(0.03, gap - 0.052) / gap;
      [x, y] = [x + step * (red[0] - x), y + step * (red[1] - y)];
      joints = armJointsAt([x, y], 0.008, joints)!;
      arm.setTargets(joints);
      arm.advance(0.1);
    }
    expect(arm.verdict()).toMatchObject({ isOver: true, success: true });
  });

  it("shows its camera's picture", () => {
    const { data, height, width } = arm.picture(24);
    expect([height, width, data.length]).toEqual([24, 24, 3 * 24 * 24]);
    expect(new Set(data).size).toBeGreaterThan(20);
  });

  it("does the same again after a reset", () => {
    const run = () => {
      arm.reset(instance);
      arm.setTargets(armHome);
      arm.advance(0.77);
      return arm.read();
    };
    expect(run()).toEqual(run());
  });

  it("takes tasks for arms only", () => {
    expect(() => arm.reset(draw("pusher"))).toThrow(ConfigError);
  });
});
