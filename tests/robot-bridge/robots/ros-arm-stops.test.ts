import { describe, expect, it } from "@jest/globals";
import { encodeBool, encodeJointTrajectory } from "#robot-bridge/protocol/messages.ts";
import { nsFromMs, rosTimeFromNs } from "#robot-bridge/protocol/stamp.ts";
import { topics } from "#robot-bridge/protocol/topics.ts";
import type { RosArmOptions } from "#robot-bridge/robots/ros-arm.ts";
import { ArmBench } from "../../doubles/arm-bench.ts";

describe("RosArm stops and stays stopped", () => {
  /** Moves a little, then something happens. */
  const moving = async (options: Partial<RosArmOptions> = {}) => {
    const bench = await new ArmBench(options).armed();
    await bench.stream(200, 0.4, 0);
    return bench;
  };
  const stopped = async (bench: ArmBench, name: string, reason: string) => {
    expect(bench.robot.mode).toEqual({ name, reason: expect.stringContaining(reason) });
    const { sent } = bench.robot.counters;
    const stampNs = bench.robotNs();
    const command = { values: Float32Array.from(bench.positions), stampNs, sequence: 1_000_000, ttlMs: 100 };
    expect(await bench.robot.send(command)).toBeNull();
    expect(bench.robot.counters.sent).toBe(sent);
  };

  it("when joint states stop coming", async () => {
    const bench = await moving();
    bench.isReporting = false;
    await bench.run(240);
    await stopped(bench, "stale", "joint states");
    bench.isReporting = true;
    await bench.run(100);
    await stopped(bench, "stale", "joint states");
  });

  it("when joint states come late", async () => {
    const bench = await moving();
    const now = bench.robotNs;
    bench.robotNs = () => now() - nsFromMs(250);
    bench.command.service = () => ({ time: rosTimeFromNs(now()) });
    await bench.run(260);
    await stopped(bench, "stale", "joint states");
  });

  it("not when this program was held up itself while messages waited", async () => {
    const bench = await moving();
    bench.clock.jump(400);
    // The control loop may come before the watch, and both before the messages.
    expect(await bench.send(...bench.positions)).toBeNull();
    expect(bench.robot.mode).toEqual({ name: "armed", reason: "this program was held up" });
    await bench.clock.advance(30);
    expect(bench.robot.mode.name).toBe("armed");
    await bench.run(100);
    expect(await bench.send(...bench.positions)).not.toBeNull();
    bench.clock.jump(400);
    bench.isReporting = false;
    await bench.run(80);
    await stopped(bench, "stale", "joint states");
  });

  it("when the network becomes too slow for its commands", async () => {
    const bench = await moving();
    bench.command.service = async () => {
      const time = rosTimeFromNs(bench.robotNs());
      await bench.clock.sleep(120);
      return { time };
    };
    await bench.run(4000);
    await stopped(bench, "stale", "the way to the robot and back takes 1");
  });

  it("when the link is lost, and is not armed by its return", async () => {
    const bench = await moving();
    bench.command.set(false, "cable cut");
    await stopped(bench, "stale", "the link was lost: cable cut");
    const said = bench.all().length;
    await bench.run(100);
    bench.command.set(true, "connected");
    await bench.run(300);
    await stopped(bench, "stale", "the link was lost");
    expect(bench.all().length).toBe(said);
    await bench.robot.arm();
    expect(await bench.send(...bench.positions)).not.toBeNull();
  });

  it("when the arm was moved while the link was down, until somebody armed it twice", async () => {
    const bench = await moving();
    bench.command.set(false, "cable cut");
    bench.positions = [bench.positions[0]!, 0.5];
    bench.command.set(true, "connected");
    await bench.run(100);
    await expect(bench.robot.arm()).rejects.toThrow("it was moved by 0.50 rad while nobody watched");
    await bench.robot.arm();
    expect(bench.robot.mode.name).toBe("armed");
  });

  it("when the e-stop is pressed, here or elsewhere, also by a message that makes no sense", async () => {
    const elsewhere = await moving();
    elsewhere.estop.deliver(topics.estop, encodeBool(true));
    await stopped(elsewhere, "estop", "the e-stop is on");
    const here = await moving();
    await here.robot.pressEstop("somebody shouted");
    await stopped(here, "estop", "somebody shouted");
    expect(here.estop.published).toEqual([{ topic: topics.estop, message: { data: true }, latch: true }]);
    const nonsense = await moving();
    nonsense.estop.deliver(topics.estop, { data: "yes" });
    await stopped(nonsense, "estop", "the e-stop is on");
  });

  it("when the e-stop's own link is lost", async () => {
    const bench = await moving();
    bench.estop.set(false, "closed");
    await stopped(bench, "stale", "the e-stop's link was lost: closed");
  });

  it("when the socket is congested", async () => {
    const bench = await moving();
    bench.command.isCongested = true;
    expect(await bench.send(...bench.positions)).toBeNull();
    bench.command.isCongested = false;
    await stopped(bench, "stale", "the link is down or congested");
  });

  it("when somebody else commands it, but not at their hold", async () => {
    const bench = await moving();
    bench.command.deliver(topics.command, encodeJointTrajectory({ ...bench.all()[0]!, points: [] }));
    expect(bench.robot.mode.name).toBe("armed");
    bench.command.deliver(topics.command, encodeJointTrajectory({ ...bench.all()[0]!, stampNs: 12n }));
    await stopped(bench, "hold", "another program sends commands to this arm");
    expect(bench.robot.counters.foreign).toBe(1);
  });

  it("not when it hears its own commands", async () => {
    const bench = await moving();
    for (const own of bench.all()) bench.command.deliver(topics.command, encodeJointTrajectory(own));
    expect(bench.robot.mode.name).toBe("armed");
  });

  it("when a measured joint is not a number", async () => {
    const bench = await moving();
    bench.follows = false;
    bench.report = () => {
      bench.command.deliver(topics.jointStates, {
        header: { stamp: rosTimeFromNs(bench.robotNs()), frame_id: "" },
        name: ["shoulder", "elbow"],
        position: [null, 0],
      });
    };
    await bench.run(20);
    await stopped(bench, "hold", "the measured position is not finite");
  });

  it.each([
    ["NaN", [Number.NaN, 0], "the command is not finite"],
    ["too few values", [0], "the command has 1 values for 2 joints"],
  ])("at a command with %s", async (_, values, reason) => {
    const bench = await moving();
    expect(await bench.send(...values)).toBeNull();
    await stopped(bench, "hold", reason);
  });

  it("at a first command that is far away", async () => {
    const bench = await new ArmBench().armed();
    expect(await bench.send(0.5, 0)).toBeNull();
    await stopped(bench, "hold", "the first command is 0.500 rad away from the arm");
    expect(bench.all().every(({ points }) => points.every(({ positions }) => positions[0] === 0))).toBe(true);
  });

  it("when the arm does not follow", async () => {
    const bench = await moving();
    bench.follows = false;
    await bench.stream(800, 0.8, 0);
    await stopped(bench, "hold", "the arm does not follow");
  });

  it("with the strongest reason: an e-stop after a cut is an e-stop, a cut after an e-stop is not a cut", async () => {
    const bench = await moving();
    await bench.robot.hold("somebody said so", { latch: true });
    expect(bench.robot.mode.name).toBe("hold");
    bench.estop.set(false, "closed");
    expect(bench.robot.mode.name).toBe("stale");
    bench.estop.set(true, "connected");
    bench.estop.deliver(topics.estop, encodeBool(true));
    expect(bench.robot.mode.name).toBe("estop");
    bench.command.set(false, "cut");
    expect(bench.robot.mode.name).toBe("estop");
  });
});

describe("RosArm holds", () => {
  it("at its last target, by an empty trajectory and by a target, until the joints are at rest", async () => {
    const bench = await new ArmBench().armed();
    await bench.stream(200, 0.4, 0);
    const before = bench.all();
    const target = before.at(-1)!.points[0]!.positions[0]!;
    expect(target).toBeGreaterThan(0.05);
    bench.velocities = [0.5, 0];
    bench.follows = false;
    await bench.robot.hold("somebody said so", { latch: true });
    await bench.run(160);
    const holds = bench.all().slice(before.length);
    expect(holds.length).toBeGreaterThanOrEqual(6);
    expect(holds[0]).toMatchObject({ stampNs: 0n, points: [] });
    expect(holds[1]!.points.map(({ positions }) => [...positions])).toEqual([
      [target, 0],
      [target, 0],
    ]);
    bench.velocities = [0, 0];
    await bench.run(100);
    const said = bench.all().length;
    await bench.run(300);
    expect(bench.all().length).toBe(said);
  });

  it("where it is, when it did not get near its target", async () => {
    const bench = await new ArmBench().armed();
    bench.follows = false;
    await bench.stream(800, 0.8, 0);
    expect(bench.robot.mode.reason).toBe("the arm does not follow");
    const last = bench.all().at(-1)!;
    expect([...last.points[0]!.positions]).toEqual([0, 0]);
  });

  it("for two seconds, then calls for a human", async () => {
    const bench = await new ArmBench().armed();
    bench.velocities = [0.5, 0];
    await bench.robot.hold("somebody said so", { latch: true });
    await bench.run(2300);
    expect(bench.lines.join("\n")).toContain("the arm did not come to rest within 2 s: press its own e-stop");
    const said = bench.all().length;
    await bench.run(300);
    expect(bench.all().length).toBe(said);
  });

  it("without a latch until it is at rest, then goes on", async () => {
    const bench = await new ArmBench().armed();
    await bench.robot.hold("the policy is late");
    expect(bench.robot.mode).toEqual({ name: "armed", reason: "the policy is late" });
    expect(await bench.send(0, 0)).toBeNull();
    expect(bench.robot.mode.reason).toBe("the arm is still coming to rest");
    await bench.run(120);
    expect(await bench.send(0, 0)).not.toBeNull();
  });

  it("and lets go when it is disconnected", async () => {
    const bench = await new ArmBench().armed();
    await bench.stream(100, 0.4, 0);
    const said = bench.all().length;
    await bench.settle(bench.robot.disconnect());
    expect(bench.all()[said]).toMatchObject({ points: [] });
    expect(bench.robot.mode).toEqual({ name: "disarmed", reason: "disconnected" });
    expect(bench.command.isClosed).toBe(true);
    await expect(bench.robot.arm()).rejects.toThrow("it is not connected");
  });
});
