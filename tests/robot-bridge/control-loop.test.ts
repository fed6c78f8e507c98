import { describe, expect, it } from "@jest/globals";
import type { ActionSpace } from "#core/contracts/action.ts";
import { RobotError } from "#core/errors.ts";
import { type ControlLoopOptions, type LoopEnd, type LoopStatus, runControlLoop } from "#robot-bridge/control-loop.ts";
import { FakeClock } from "../doubles/fake-clock.ts";
import { ScriptedPolicy, type ScriptedPolicyOptions } from "../doubles/scripted-policy.ts";
import { ScriptedRobot } from "../doubles/scripted-robot.ts";

const velocity: ActionSpace = {
  kind: "joint-velocity",
  names: ["a", "b"],
  units: ["rad/s", "rad/s"],
  limits: { low: [-1, -1], high: [1, 1] },
};

function start(policyOptions: Partial<ScriptedPolicyOptions> = {}, options: Partial<ControlLoopOptions> = {}) {
  const clock = new FakeClock();
  const robot = new ScriptedRobot(clock);
  const policy = new ScriptedPolicy({
    clock,
    space: velocity,
    chunkLength: 4,
    rateHz: 10,
    // Joint a at 0.5 rad/s, joint b still.
    answer: () => [0.5, 0, 0.5, 0, 0.5, 0, 0.5, 0],
    ...policyOptions,
  });
  const stop = new AbortController();
  const running = runControlLoop({
    robot,
    policy,
    joints: { joints: ["a", "b"] },
    clock,
    robotTimeNs: () => clock.nowNs(),
    measuredJoints: () => robot.positions.slice(),
    rateHz: 50,
    ttlMs: 100,
    timing: "observation",
    replanMs: 200,
    policyDeadlineMs: 300,
    maxAnswerAgeMs: 1000,
    blendMs: 100,
    coastMs: 200,
    policySilenceMs: 2000,
    signal: stop.signal,
    ...options,
  });
  let end: LoopEnd | null = null;
  void running.then((value) => {
    end = value;
  });
  const finish = async () => {
    stop.abort();
    await clock.advance(100);
    return running;
  };
  return { clock, robot, policy, stop, running, finish, ended: () => end };
}

describe("runControlLoop", () => {
  it("turns chunks at 10 Hz into commands at 50 Hz along the policy's path", async () => {
    const { clock, robot, finish } = start();
    await clock.advance(1000);
    const { reason, summary } = await finish();
    expect(reason).toBe("stopped");
    expect(summary.commands.sent).toBeGreaterThanOrEqual(49);
    expect(summary.commands.clamped).toBe(0);
    // 0.5 rad/s all the time: every command is 0.01 rad farther than the one before.
    const steps = robot.sent.slice(1).map(({ values }, index) => values[0]! - robot.sent[index]!.values[0]!);
    expect(steps).toBeAllClose(new Array(steps.length).fill(0.01), { absolute: 2e-4 });
    expect(robot.sent.every(({ values }) => Math.abs(values[1]!) < 1e-9)).toBe(true);
    expect(robot.sent.map(({ sequence }) => sequence)).toEqual(robot.sent.map((_, index) => index));
    expect(robot.sent.every(({ ttlMs }) => ttlMs === 100)).toBe(true);
    expect(robot.holds).toEqual([]);
  });

  it("keeps sending on time while the policy thinks, and takes the answer over without a seam", async () => {
    const { clock, robot, finish } = start({ latencyMs: () => 150 });
    await clock.advance(1500);
    const { summary } = await finish();
    expect(summary.policyLatency.p50Ms).toBeGreaterThan(140);
    expect(summary.tickLateness.maxMs).toBe(0);
    expect(summary.ticksMissed).toBe(0);
    const steps = robot.sent.slice(1).map(({ values }, index) => values[0]! - robot.sent[index]!.values[0]!);
    // The first path starts 150 ms late and catches up; nothing jumps by more than blending explains.
    expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.04);
    expect(steps.slice(-20)).toBeAllClose(new Array(20).fill(0.01), { absolute: 1e-3 });
  });

  it("leaves out the actions whose time has passed when the answer comes", async () => {
    // One question only: rows of 0.1 s with speeds 1, 0, 0, 0; the answer takes 150 ms, so the first row is past.
    const { clock, robot, finish } = start(
      { latencyMs: () => 150, answer: () => [1, 0, 0, 0, 0, 0, 0, 0] },
      { replanMs: 100_000, blendMs: 0 },
    );
    await clock.advance(300);
    await finish();
    // What the policy wanted by now is 0.1 rad; it is there at once, and nothing is played late.
    expect(robot.sent[0]!.values[0]).toBeCloseTo(0.1, 6);
    expect(robot.sent.at(-1)!.values[0]).toBeCloseTo(0.1, 6);
  });

  it("starts a chunk at its arrival when told to, from where the arm was told to be", async () => {
    const { clock, robot, finish } = start(
      { latencyMs: () => 60, chunkLength: 1, answer: () => [0.5, 0] },
      { timing: "arrival", replanMs: 100 },
    );
    await clock.advance(1060);
    await finish();
    expect(robot.sent.at(-1)!.values[0]).toBeCloseTo(0.5, 1);
    expect(robot.holds).toEqual([]);
  });

  it("brakes at the end of the path when the policy is late, holds, and goes on with the next answer", async () => {
    const latency = [0, 1200, 0, 0, 0];
    const { clock, robot, finish } = start(
      { latencyMs: (question) => latency[question] ?? 0, ignoresSignal: true },
      { policyDeadlineMs: 250 },
    );
    await clock.advance(1300);
    expect(robot.holds).toEqual([{ reason: "the policy is late", latch: false }]);
    const atHold = robot.sent.length;
    expect(robot.sent.at(-1)!.values[0]).toBeCloseTo(0.2, 6);
    await clock.advance(700);
    expect(robot.sent.length).toBeGreaterThan(atHold + 20);
    const { summary } = await finish();
    expect(summary.policy.late).toBe(1);
    expect(summary.commands.holds).toEqual({ "the policy is late": 1 });
  });

  it("never hands out an answer that came after the deadline, and never asks twice at once", async () => {
    const { clock, robot, policy, finish } = start(
      // Chunks of two seconds: by their age alone the answers could still be followed.
      { latencyMs: () => 400, ignoresSignal: true, chunkLength: 20, answer: () => new Array(40).fill(0.5) },
      { policyDeadlineMs: 300, replanMs: 50 },
    );
    await clock.advance(1900);
    const { summary } = await finish();
    expect(robot.sent).toEqual([]);
    expect(summary.policy.used).toBe(0);
    expect(summary.policy.late).toBeGreaterThanOrEqual(4);
    expect(policy.mostOpen).toBe(1);
  });

  it("latches a hold when the policy stays silent", async () => {
    const { clock, robot, running } = start({ latencyMs: () => 1e9, ignoresSignal: true });
    await clock.advance(2100);
    const { reason, detail } = await running;
    expect(reason).toBe("not armed");
    expect(detail).toBe("the policy gave no usable answer for 2000 ms");
    expect(robot.holds).toEqual([{ reason: detail, latch: true }]);
    expect(robot.sent).toEqual([]);
  });

  it.each<[string, Partial<ScriptedPolicyOptions>, ((policy: ScriptedPolicy) => void) | null, string]>([
    ["NaN", { answer: () => [Number.NaN, 0, 0, 0, 0, 0, 0, 0] }, null, "the policy's answer is not finite"],
    ["too few values", { answer: () => [0, 0] }, null, "the policy answered 2 values for 4 rows of 2"],
    [
      "another action space",
      {},
      (policy) => {
        policy.change = (chunk) => ({ ...chunk, space: { ...velocity, kind: "joint-position" } });
      },
      "the policy answered in another action space than it promised",
    ],
    [
      "an answer to another observation",
      {},
      (policy) => {
        policy.change = (chunk) => ({ ...chunk, stampNs: chunk.stampNs - 1n });
      },
      "the policy answered another observation than it was shown",
    ],
    [
      "an absurd rate",
      {},
      (policy) => {
        policy.change = (chunk) => ({ ...chunk, rateHz: Number.NaN });
      },
      "the policy's rate is NaN Hz",
    ],
  ])("latches a hold at once on %s", async (_, policyOptions, change, reason) => {
    const { clock, robot, policy, running } = start(policyOptions);
    change?.(policy);
    await clock.advance(100);
    expect(await running).toMatchObject({ reason: "not armed", detail: reason });
    expect(robot.holds).toEqual([{ reason, latch: true }]);
    expect(robot.sent).toEqual([]);
  });

  it("stops a moving arm within one tick of a broken answer", async () => {
    const { clock, robot, running } = start({
      answer: (question) => new Array(8).fill(question === 0 ? 0.5 : Number.NaN),
    });
    await clock.advance(199);
    const before = robot.sent.length;
    await clock.advance(300);
    expect((await running).reason).toBe("not armed");
    expect(robot.sent.length - before).toBeLessThanOrEqual(2);
  });

  it("goes on after a policy's error, counts it, and drops an answer to an old observation", async () => {
    const { clock, robot, finish } = start({
      answer: (question) => (question === 0 ? new Error("out of memory") : new Array(8).fill(0.5)),
    });
    await clock.advance(450);
    expect(robot.sent.length).toBeGreaterThan(5);
    robot.ageMs = 1500;
    await clock.advance(500);
    const { summary } = await finish();
    expect(summary.policy.failed).toEqual({ "out of memory": 1 });
    expect(summary.policy.outdated).toBeGreaterThanOrEqual(2);
    expect(summary.observationAge.maxMs).toBe(1500);
  });

  it("holds while there is nothing fresh to see", async () => {
    const { clock, robot, finish } = start();
    await clock.advance(100);
    robot.blind = "camera front: 734 ms old";
    await clock.advance(1500);
    expect(robot.holds).toEqual([{ reason: "the policy is late", latch: false }]);
    const { summary } = await finish();
    expect(summary.policy.blind["camera front: # ms old"]).toBeGreaterThan(3);
  });

  it("follows no chunk when nobody knows where the arm is", async () => {
    const measuredJoints = () => {
      throw new RobotError("observation: joint states: nothing new for 250 ms. Check the robot.");
    };
    const { clock, robot, finish } = start({}, { measuredJoints });
    await clock.advance(500);
    const { reason, summary } = await finish();
    expect(reason).toBe("stopped");
    expect(robot.sent).toEqual([]);
    expect(summary.policy).toMatchObject({ used: 0 });
    expect(Object.keys(summary.policy.blind)[0]).toContain("nothing new for # ms");
  });

  it("counts commands that the robot changed or held back, with its reason", async () => {
    const { clock, robot, finish } = start();
    robot.limit = (values) => values.map((value) => value * 0.5);
    await clock.advance(200);
    robot.limit = () => null;
    robot.mode = { name: "armed", reason: "the command is 120 ms old" };
    await clock.advance(200);
    const { summary } = await finish();
    expect(summary.commands.clamped).toBeGreaterThan(5);
    expect(summary.commands.held).toBeGreaterThan(0);
    expect(summary.commands.holds["the command is 120 ms old"]).toBe(summary.commands.held);
  });

  it("ends as soon as the robot is no longer armed", async () => {
    const { clock, robot, running } = start();
    await clock.advance(100);
    robot.mode = { name: "estop", reason: "somebody pressed it" };
    const before = robot.sent.length;
    await clock.advance(100);
    expect(await running).toMatchObject({ reason: "not armed", detail: "somebody pressed it" });
    expect(robot.sent.length).toBe(before);
  });

  it("ends when the task is done", async () => {
    let done: string | null = null;
    const { clock, running } = start({}, { isDone: () => done });
    await clock.advance(100);
    done = "solved";
    await clock.advance(100);
    expect(await running).toMatchObject({ reason: "done", detail: "solved" });
  });

  it("does not make up for missed ticks with a burst", async () => {
    const { clock, robot, finish } = start();
    await clock.advance(100);
    const before = robot.sent.length;
    clock.jump(205);
    await clock.advance(0);
    expect(robot.sent.length - before).toBe(1);
    await clock.advance(40);
    expect(robot.sent.length - before).toBe(3);
    const { summary } = await finish();
    expect(summary.ticksMissed).toBe(9);
    expect(summary.tickLateness.maxMs).toBeGreaterThan(180);
    expect(summary.tickLateness.table.at(-1)).toBe(1);
  });

  it("reports its state every half second", async () => {
    const states: LoopStatus[] = [];
    const { clock, finish } = start({}, { onStatus: (status) => states.push(status) });
    await clock.advance(1010);
    await finish();
    expect(states.map(({ seconds }) => Math.round(seconds * 10) / 10)).toEqual([0, 0.5, 1]);
    expect(states[1]).toMatchObject({ state: "following", mode: { name: "armed" } });
  });
});
