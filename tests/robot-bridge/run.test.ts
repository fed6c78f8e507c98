import { afterEach, describe, expect, it } from "@jest/globals";
import { ConfigError, RobotError } from "#core/errors.ts";
import { encodeBool, encodeJointTrajectory, messageTypes, targetTrajectory } from "#robot-bridge/protocol/messages.ts";
import { services, topics } from "#robot-bridge/protocol/topics.ts";
import { setEstop } from "#robot-bridge/robots/emergency-stop.ts";
import { RosLink } from "#robot-bridge/robots/ros-link.ts";
import type { SimulatedArmStatus } from "#robot-bridge/simulate.ts";
import { BridgeRig, circling, type RigOptions } from "../doubles/bridge-rig.ts";
import { KinematicPlant } from "../doubles/kinematic-plant.ts";

let open: BridgeRig | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

async function rigFor(options?: RigOptions): Promise<BridgeRig> {
  open = await new BridgeRig(options).open();
  return open;
}

/** A program beside the bridge. */
async function outsider(rig: BridgeRig): Promise<RosLink> {
  const link = new RosLink({ url: rig.url, name: "outsider" });
  await link.open();
  return link;
}

const restRad = 2e-3;

describe("runBridge", () => {
  it("drives the arm until it is stopped, then holds, lets go and says what happened", async () => {
    const rig = await rigFor();
    const running = rig.run();
    await rig.moving();
    await rig.wait(500);
    rig.stop();
    const summary = await running;
    const stoppedMs = rig.nowMs();
    await rig.wait(150);
    expect(summary).toMatchObject({ ended: "stopped", policyId: "scripted", instruction: "go", rearmed: 0 });
    const [loop] = summary.loops;
    expect(loop!.commands.sent).toBeGreaterThan(15);
    expect(loop!.policy.used).toBeGreaterThan(1);
    expect(loop!.tickLateness.table.reduce((sum, count) => sum + count, 0)).toBe(loop!.ticks);
    expect(summary.robot.sent).toBe(loop!.commands.sent);
    const { commands } = rig.sim.status();
    expect(commands).toMatchObject({ executedTooOld: 0, executedUnstamped: 0, notUnderstood: 0, refused: {} });
    expect(commands.holds).toBeGreaterThan(0);
    expect(rig.movedRad(stoppedMs)).toBeLessThan(restRad);
    expect(rig.lines).toEqual(expect.arrayContaining(["armed", "hold: the run was stopped"]));
    // Warm-up and run.
    expect(rig.policy.resets).toBe(1);
  });

  it("comes to a hold with controllers that refuse empty trajectories", async () => {
    const rig = await rigFor({ simulate: { emptyTrajectory: "refuse" } });
    const running = rig.run();
    await rig.moving();
    rig.stop();
    await running;
    const stoppedMs = rig.nowMs();
    await rig.wait(150);
    const { commands } = rig.sim.status();
    expect(commands).toMatchObject({ holds: 0, executedTooOld: 0 });
    expect(commands.refused["empty trajectory"]).toBeGreaterThan(0);
    expect(rig.movedRad(stoppedMs)).toBeLessThan(restRad);
  });

  it("ends with the task, or when the time is up", async () => {
    const rig = await rigFor();
    const first = await rig.run({ durationS: 0.4 });
    expect(first).toMatchObject({ ended: "time", detail: "0.4 s are over" });
    const second = rig.run();
    await rig.wait(500);
    rig.plant.isOver = true;
    expect(await second).toMatchObject({ ended: "task", detail: "the task is solved", task: { success: true } });
  });

  it("holds when the policy answers NaN in the middle", async () => {
    const answer = (question: number) => (question < 4 ? circling(question) : circling(question).fill(Number.NaN));
    const rig = await rigFor({ policy: { answer } });
    const summary = await rig.run();
    const stoppedMs = rig.nowMs();
    await rig.wait(150);
    expect(summary).toMatchObject({ ended: "hold", detail: "the policy's answer is not finite" });
    expect(summary.robot.sent).toBeGreaterThan(10);
    expect(rig.movedRad(stoppedMs)).toBeLessThan(restRad);
  });

  it("holds when the policy falls silent in the middle", async () => {
    const latencyMs = (question: number) => (question < 3 ? 5 : 60_000);
    const rig = await rigFor({ policy: { latencyMs }, run: { policySilenceMs: 1200 } });
    const summary = await rig.run();
    expect(summary).toMatchObject({
      ended: "hold",
      detail: "the policy gave no usable answer for 1200 ms",
      loops: [{ commands: { holds: { "the policy is late": 1 } } }],
    });
  });

  it("holds at the e-stop, which can be pressed from outside, and needs a release before the next run", async () => {
    const rig = await rigFor();
    const running = rig.run();
    await rig.moving();
    const pressedMs = rig.nowMs();
    const link = () => new RosLink({ url: rig.url, name: "e-stop" });
    const { confirmedMs } = await setEstop({ link: link(), isOn: true });
    const summary = await running;
    await rig.wait(150);
    expect(confirmedMs).toBeLessThan(100);
    expect(summary).toMatchObject({ ended: "estop", detail: "the e-stop is on" });
    expect(rig.sim.status().estop).toBe(true);
    expect(rig.movedRad(pressedMs + 200)).toBeLessThan(restRad);
    await expect(rig.run()).rejects.toThrow("cannot be armed: the e-stop is on. Release it");
    await setEstop({ link: link(), isOn: false });
    expect(await rig.run({ durationS: 0.2 })).toMatchObject({ ended: "time" });
  });

  it("refuses to start beside another run, which goes on undisturbed", async () => {
    const rig = await rigFor();
    const first = rig.run();
    await rig.moving();
    const second = rig.run({ robot: rig.makeRobot() });
    await expect(second).rejects.toThrow("another program sends commands to it. Stop that program first");
    await rig.wait(200);
    rig.stop();
    expect(await first).toMatchObject({ ended: "stopped", robot: { foreign: 0 } });
    expect(rig.sim.status().commands.refusedController).toBe(0);
  });

  it("stops when another program starts to command the arm; the simulated arm listens to one at a time", async () => {
    const rig = await rigFor();
    const running = rig.run();
    await rig.moving();
    const link = await outsider(rig);
    const { names, positions } = rig.sim.status().joints;
    const jump = Float64Array.from(positions, (value) => value + 0.5);
    const trajectory = targetTrajectory(names, jump, {
      stampNs: BigInt(Date.now()) * 1_000_000n,
      motionMs: 50,
      ttlMs: 1000,
    });
    const startMs = rig.nowMs();
    link.publish(topics.command, messageTypes.jointTrajectory, encodeJointTrajectory(trajectory));
    expect(await running).toMatchObject({ ended: "hold", detail: "another program sends commands to this arm" });
    const status = (await link.call(services.status, {}, 1000)) as SimulatedArmStatus;
    expect(status.commands.refusedController).toBe(1);
    expect(rig.movedRad(startMs)).toBeLessThan(0.2);
    await link.close();
  });

  it("asks a person to bring the tool to its working height first", async () => {
    const plant = new KinematicPlant();
    const rig = await rigFor({ plant });
    const link = await outsider(rig);
    const { names, positions } = rig.sim.status().joints;
    const raised = Float64Array.from(positions, (value, joint) => value - (joint === 1 ? 0.4 : 0));
    const trajectory = targetTrajectory(names, raised, { stampNs: 0n, motionMs: 200, ttlMs: 200 });
    link.publish(topics.command, messageTypes.jointTrajectory, encodeJointTrajectory(trajectory));
    await rig.wait(600);
    await link.close();
    await expect(rig.run()).rejects.toThrow("robot: the tool must be at its working height of 0.008 m, got 0.");
    expect(rig.sim.status().commands.accepted).toBe(1);
  });

  it("starts the next episode on request, while nobody drives", async () => {
    const rig = await rigFor();
    const link = await outsider(rig);
    expect(await link.call(services.reset, {}, 1000)).toEqual({ episode: 1, instruction: "go" });
    expect(rig.sim.status().task.episode).toBe(1);
    await link.close();
  });

  it("refuses commands while the e-stop is on, and counts what it does not understand", async () => {
    const rig = await rigFor();
    const link = await outsider(rig);
    link.publish(topics.estop, messageTypes.bool, encodeBool(true));
    const { names, positions } = rig.sim.status().joints;
    const trajectory = targetTrajectory(names, Float64Array.from(positions), { stampNs: 0n, motionMs: 1, ttlMs: 2 });
    link.publish(topics.command, messageTypes.jointTrajectory, encodeJointTrajectory(trajectory));
    link.publish(topics.command, messageTypes.jointTrajectory, { points: "many" });
    await link.call(services.status, {}, 1000);
    const { commands } = rig.sim.status();
    expect(commands).toMatchObject({ accepted: 0, notUnderstood: 1, refused: { "the e-stop is on": 1 } });
    await link.close();
  });

  describe("says in one sentence what is wrong", () => {
    it("when the port is taken", async () => {
      const rig = await rigFor();
      const port = Number(new URL(rig.sim.url).port);
      await expect(rig.startSimulation(port)).rejects.toThrow(RobotError);
      await expect(rig.startSimulation(port)).rejects.toThrow(`port ${port} must be free`);
    });

    it("when nothing listens at the address", async () => {
      const rig = await rigFor();
      await rig.sim.close();
      await rig.proxy.close();
      await expect(rig.run()).rejects.toThrow(`${rig.url}: nothing listens there`);
    });

    it("when another robot is there", async () => {
      const other = ["panda_1", "panda_2", "panda_3", "panda_4", "panda_5", "panda_6"];
      const rig = await rigFor({ plant: new KinematicPlant(other), robot: { connectTimeoutMs: 200 } });
      await expect(rig.run()).rejects.toThrow(/needs the joints waist, .*; \/joint_states has panda_1, .*right robot/);
    });

    it("when policy and robot do not fit, before anything is connected", async () => {
      const rig = await rigFor();
      const { spec } = rig.policy;
      const withSpec = (change: object) =>
        rig.run({ policy: Object.assign(Object.create(rig.policy), { spec: { ...spec, ...change } }) });
      await expect(withSpec({ cameras: [{ name: "wrist", height: 16, width: 16 }] })).rejects.toThrow(
        "policy: needs camera wrist of 16 x 16 pixels, got front 16 x 16",
      );
      await expect(withSpec({ cameras: [{ name: "front", height: 224, width: 224 }] })).rejects.toThrow(ConfigError);
      await expect(withSpec({ stateSize: 3 })).rejects.toThrow("needs a state of 3 values, got 8");
      const space = { ...spec.space, kind: "joint-position", names: ["a"] };
      await expect(withSpec({ space })).rejects.toThrow("It was trained for another robot");
      expect(rig.lines.filter((line) => line.includes("connected to"))).toEqual([]);
    });
  });
});
