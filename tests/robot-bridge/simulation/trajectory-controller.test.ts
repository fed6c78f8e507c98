import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { emptyTrajectory, type JointTrajectory, targetTrajectory } from "#robot-bridge/protocol/messages.ts";
import { nsFromMs } from "#robot-bridge/protocol/stamp.ts";
import { type ControllerOptions, TrajectoryController } from "#robot-bridge/simulation/trajectory-controller.ts";

const ms = nsFromMs;
const names = ["a", "b"];
const start = 1_000_000n * 1_000_000n;
const at = (durationMs: number) => start + ms(durationMs);

function make(options: Partial<ControllerOptions> = {}) {
  const limits = { positionLow: [-2, -2], positionHigh: [2, 2], velocity: [100, 100] };
  const controller = new TrajectoryController(
    { names, ...limits, emptyTrajectory: "hold", commandTimeoutMs: 200, ...options },
    [0, 0],
  );
  controller.sample(at(0));
  return controller;
}

const trajectory = (
  stampMs: number | null,
  points: readonly (readonly [timeMs: number, positions: readonly number[], velocities?: readonly number[]])[],
): JointTrajectory => ({
  stampNs: stampMs === null ? 0n : at(stampMs),
  frameId: "",
  names,
  points: points.map(([timeMs, positions, velocities = []]) => ({
    timeFromStartNs: ms(timeMs),
    positions: Float64Array.from(positions),
    velocities: Float64Array.from(velocities),
  })),
});

describe("TrajectoryController", () => {
  it("goes in a straight line from where it is to the points, then stays", () => {
    const controller = make();
    controller.accept(
      trajectory(0, [
        [100, [1, -1]],
        [200, [1, 1]],
      ]),
      at(0),
    );
    expect(controller.sample(at(50))).toBeAllClose([0.5, -0.5]);
    expect(controller.sample(at(150))).toBeAllClose([1, 0]);
    expect(controller.sample(at(900))).toBeAllClose([1, 1]);
  });

  it("starts a trajectory without a stamp on arrival, and one with a future stamp slowly at once", () => {
    const unstamped = make();
    unstamped.accept(trajectory(null, [[100, [1, 0]]]), at(40));
    expect(unstamped.sample(at(90))).toBeAllClose([0.5, 0]);
    expect(unstamped.counters).toMatchObject({ executed: 1, executedUnstamped: 1, oldestMs: 0 });
    const future = make();
    future.accept(trajectory(100, [[100, [1, 0]]]), at(0));
    expect(future.sample(at(100))).toBeAllClose([0.5, 0]);
  });

  it("skips points that are past", () => {
    const controller = make();
    const accepted = controller.accept(
      trajectory(-150, [
        [100, [1, 1]],
        [200, [2, 0]],
      ]),
      at(0),
    );
    expect(accepted).toEqual({ isAccepted: true });
    expect(controller.sample(at(25))).toBeAllClose([1.75, 0.25]);
  });

  it("runs a cubic where both ends have velocities", () => {
    const controller = make();
    controller.accept(
      trajectory(0, [
        [0, [0, 0], [1, 0]],
        [1000, [1, 0], [0, 0]],
      ]),
      at(0),
    );
    // Hermite at s = 1/2: 1/2 (p1 - p0) + T/8 (v0 - v1) = 0.5 + 0.125.
    expect(controller.sample(at(500))).toBeAllClose([0.625, 0]);
  });

  it("takes joints by name, in any order", () => {
    const controller = make();
    const swapped = { ...trajectory(0, [[100, [1, 2]]]), names: ["b", "a"] };
    controller.accept(swapped, at(0));
    expect(controller.sample(at(100))).toBeAllClose([2, 1]);
  });

  it("replaces a trajectory from where the setpoint is", () => {
    const controller = make();
    controller.accept(trajectory(0, [[100, [1, 0]]]), at(0));
    controller.sample(at(50));
    controller.accept(trajectory(50, [[100, [0, 0]]]), at(50));
    expect(controller.sample(at(100))).toBeAllClose([0.25, 0]);
  });

  it("holds at an empty trajectory, or refuses it as newer controllers do and goes on", () => {
    const old = make();
    old.accept(trajectory(0, [[100, [1, 0]]]), at(0));
    old.sample(at(50));
    expect(old.accept(emptyTrajectory(names), at(50))).toEqual({ isAccepted: true });
    expect(old.sample(at(100))).toBeAllClose([0.5, 0]);
    const recent = make({ emptyTrajectory: "refuse" });
    recent.accept(trajectory(0, [[100, [1, 0]]]), at(0));
    recent.sample(at(50));
    expect(recent.accept(emptyTrajectory(names), at(50))).toMatchObject({ reason: "empty trajectory" });
    expect(recent.sample(at(100))).toBeAllClose([1, 0]);
    // What stops both: a target where it is.
    recent.accept(trajectory(0, [[1000, [0, 0]]]), at(100));
    const here = recent.sample(at(200));
    recent.accept(targetTrajectory(names, here, { stampNs: at(200), motionMs: 1, ttlMs: 100 }), at(200));
    expect(recent.sample(at(500))).toBeAllClose(here);
  });

  it("keeps position and velocity limits whatever is asked", () => {
    const anyStep = fc.record({
      target: fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true })),
      motionMs: fc.integer({ min: 1, max: 300 }),
      pauseMs: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const controller = make({ velocity: [1, 3] });
        let nowMs = 0;
        let before = controller.sample(at(0));
        for (const { target, motionMs, pauseMs } of steps) {
          controller.accept(trajectory(nowMs, [[motionMs, target]]), at(nowMs));
          nowMs += pauseMs;
          const after = controller.sample(at(nowMs));
          for (const [joint, limit] of [1, 3].entries()) {
            expect(Math.abs(after[joint]!)).toBeLessThanOrEqual(2);
            expect(Math.abs(after[joint]! - before[joint]!)).toBeLessThanOrEqual((limit * pauseMs) / 1000 + 1e-12);
          }
          before = after;
        }
      }),
    );
  });

  it.each<[string, JointTrajectory, string]>([
    [
      "older than its time-to-live",
      trajectory(-101, [
        [40, [1, 1]],
        [100, [1, 1]],
      ]),
      "too old",
    ],
    ["for one joint of two", { ...trajectory(0, []), names: ["a"] }, "joints don't match the controller's joints"],
    ["for other joints", { ...trajectory(0, []), names: ["a", "c"] }, "a joint is not the controller's"],
    ["that does not end at rest", trajectory(0, [[100, [1, 1], [0.5, 0]]]), "does not end at rest"],
    ["with a hole", trajectory(0, [[100, [Number.NaN, 1]]]), "a value is not finite"],
  ])("refuses a trajectory %s", (_, given, reason) => {
    const controller = make();
    expect(controller.accept(given, at(0))).toEqual({ isAccepted: false, reason });
    expect(controller.sample(at(50))).toBeAllClose([0, 0]);
    expect(controller.counters).toMatchObject({ accepted: 0, executed: 0, refused: { [reason]: 1 } });
  });

  it("refuses what a newer one has overtaken", () => {
    const controller = make();
    controller.accept(trajectory(10, [[100, [1, 0]]]), at(10));
    expect(controller.accept(trajectory(0, [[100, [2, 0]]]), at(11))).toMatchObject({ isAccepted: false });
    expect(controller.accept(trajectory(10, [[100, [2, 0]]]), at(11))).toMatchObject({ isAccepted: false });
    expect(controller.sample(at(110))).toBeAllClose([1, 0]);
  });

  it("does not execute what became too old between its arrival and the next control step", () => {
    const controller = make();
    controller.accept(trajectory(0, [[100, [1, 0]]]), at(90));
    expect(controller.sample(at(101))).toBeAllClose([0, 0]);
    expect(controller.counters).toMatchObject({ accepted: 1, executed: 0, refused: { "too old": 1 } });
  });

  it("counts the age of what it executes, once per command", () => {
    const controller = make();
    controller.accept(trajectory(0, [[100, [1, 0]]]), at(30));
    controller.sample(at(35));
    controller.sample(at(45));
    expect(controller.counters).toMatchObject({ executed: 1, executedTooOld: 0, oldestMs: 35 });
  });

  it("is idle a while after a trajectory's end", () => {
    const controller = make();
    expect(controller.isBusy(at(0))).toBe(false);
    controller.accept(trajectory(0, [[100, [1, 0]]]), at(0));
    expect(controller.isBusy(at(299))).toBe(true);
    expect(controller.isBusy(at(301))).toBe(false);
  });
});
