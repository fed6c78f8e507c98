import { describe, expect, it } from "@jest/globals";
import { RobotError } from "#core/errors.ts";
import { encodeBool, encodeJointTrajectory, encodeString, targetTrajectory } from "#robot-bridge/protocol/messages.ts";
import { msFromNs, nsFromMs, rosTimeFromNs } from "#robot-bridge/protocol/stamp.ts";
import { topics } from "#robot-bridge/protocol/topics.ts";
import { ArmBench } from "../../doubles/arm-bench.ts";

describe("RosArm", () => {
  it("shows its features before it is connected", () => {
    const { robot } = new ArmBench();
    expect(robot.mode).toEqual({ name: "disarmed", reason: "not connected" });
    expect(robot.observationFeatures).toEqual({
      cameras: [{ name: "front", height: 2, width: 2 }],
      stateNames: ["elbow", "tip x", "tip y"],
      stateUnits: ["rad", "m", "m"],
    });
    expect(robot.actionFeatures).toMatchObject({ kind: "joint-position", names: ["shoulder", "elbow"] });
    // The margin of 0.05 rad is the gate's business.
    expect(robot.actionFeatures.limits).toEqual({ low: [-2, -2], high: [2, 2] });
  });

  it("connects disarmed, and sees joints by name, the tool, the picture at its size, and the instruction", async () => {
    const bench = await new ArmBench().connected();
    expect(bench.robot.mode).toEqual({ name: "disarmed", reason: "not armed yet" });
    bench.positions = [Math.PI / 2, -Math.PI / 2];
    bench.command.deliver(topics.instruction, encodeString("push the red block"));
    await bench.run(20);
    const { state, images, instruction, stampNs } = await bench.robot.observe();
    // Shoulder at (0.3, 0) turned left, elbow 0.3 m up and turned right: the tip is at (0.6, 0.3).
    expect(state).toBeAllClose([-Math.PI / 2, 0.6, 0.3]);
    expect(images.front).toEqual({ data: new Uint8Array(12).fill(200), height: 2, width: 2 });
    expect(instruction).toBe("push the red block");
    expect(msFromNs(bench.robotNs() - stampNs)).toBeLessThanOrEqual(20);
    expect(bench.robot.toolPose().position).toBeAllClose([0.6, 0.3, 0]);
    expect(bench.all()).toEqual([]);
  });

  it("keeps a fixed instruction", async () => {
    const bench = await new ArmBench({ instruction: "reach" }).connected();
    bench.command.deliver(topics.instruction, encodeString("something else"));
    expect((await bench.robot.observe()).instruction).toBe("reach");
  });

  it("stamps commands in the robot's time, with all joints in order and the time-to-live as last point", async () => {
    const bench = await new ArmBench().armed();
    const sent = await bench.send(0.001, -0.001);
    const [command] = bench.all();
    expect(command).toMatchObject({ names: ["shoulder", "elbow"], stampNs: sent!.stampNs });
    expect(Math.abs(msFromNs(command!.stampNs - bench.robotNs()))).toBeLessThan(1);
    expect(command!.stampNs).toBeLessThanOrEqual(bench.robotNs());
    expect(command!.points.map(({ timeFromStartNs }) => msFromNs(timeFromStartNs))).toEqual([40, 100]);
    for (const { positions } of command!.points) expect(positions).toBeAllClose([0.001, -0.001]);
    expect(sent!.values).toBeAllClose([0.001, -0.001]);
    expect(bench.robot.counters).toMatchObject({ sent: 1, clamped: {} });
  });

  it("returns what was really sent when limits change a command, and counts which", async () => {
    const bench = await new ArmBench().armed();
    const sent = await bench.send(0.05, 0);
    // Half of 20 rad/s^2 for 20 ms: 0.2 rad/s, 0.004 rad.
    expect(sent!.values).toBeAllClose([0.004, 0]);
    expect(bench.robot.counters.clamped).toEqual({ "acceleration limit": 1 });
  });

  describe("cannot be found", () => {
    const failure = async (bench: ArmBench) => {
      const error = await bench.settle(bench.robot.connect().catch((caught: unknown) => caught));
      expect(error).toBeInstanceOf(RobotError);
      expect([bench.command, bench.camera, bench.estop].map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
      return (error as Error).message;
    };

    it("without joint states", async () => {
      const bench = new ArmBench();
      bench.isReporting = false;
      expect(await failure(bench)).toContain("nothing came on /joint_states. Is the robot's driver running");
    });

    it("when it is another arm", async () => {
      const bench = new ArmBench();
      bench.names = ["panda_joint1", "wheel", "panda_joint2"];
      const message = await failure(bench);
      expect(message).toContain("This arm needs the joints shoulder, elbow");
      expect(message).toContain("/joint_states has panda_joint1, wheel, panda_joint2");
    });

    it("when one of its joints is missing", async () => {
      const bench = new ArmBench();
      bench.names = ["elbow", "wheel", "waist"];
      expect(await failure(bench)).toContain("joint states came without shoulder");
    });

    it("without pictures, or with broken ones", async () => {
      const dark = new ArmBench();
      dark.isFilming = false;
      expect(await failure(dark)).toContain("camera front: nothing came on /cam");
      const broken = new ArmBench();
      broken.film = () => broken.camera.deliver("/cam", { header: {}, format: "png", data: "" });
      expect(await failure(broken)).toContain("camera front: CompressedImage: header.stamp");
    });

    it("when its stamps are of another clock", async () => {
      const bench = new ArmBench();
      const report = bench.report.bind(bench);
      bench.report = () => {
        const now = bench.robotNs;
        bench.robotNs = () => now() - nsFromMs(5000);
        report();
        bench.robotNs = now;
      };
      expect(await failure(bench)).toMatch(/joint states: 50\d\d ms old by the robot's clock/);
    });
  });

  describe("is armed only", () => {
    const refusal = async (bench: ArmBench) => {
      const error = await bench.robot.arm().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(RobotError);
      expect(bench.robot.mode.name).not.toBe("armed");
      return (error as Error).message;
    };

    it("when it is connected", async () => expect(await refusal(new ArmBench())).toContain("it is not connected"));

    it("while all links are up", async () => {
      const bench = await new ArmBench().connected();
      bench.estop.set(false, "cut");
      expect(await refusal(bench)).toContain("the link is down");
    });

    it("while the e-stop is off", async () => {
      const bench = await new ArmBench().connected();
      bench.estop.deliver(topics.estop, encodeBool(true));
      expect(bench.robot.mode.name).toBe("estop");
      expect(await refusal(bench)).toContain("the e-stop is on. Release it (false on /estop)");
      bench.estop.deliver(topics.estop, encodeBool(false));
      expect(bench.robot.mode.name).toBe("estop");
      await bench.run(100);
      await bench.robot.arm();
      expect(bench.robot.mode.name).toBe("armed");
    });

    it("with fresh joints and pictures", async () => {
      const bench = await new ArmBench().connected();
      bench.isFilming = false;
      await bench.run(600);
      expect(await refusal(bench)).toMatch(/camera front: nothing new for \d+ ms. Wait/);
      bench.isReporting = false;
      await bench.run(300);
      expect(await refusal(bench)).toMatch(/joint states: nothing new for \d+ ms/);
    });

    it("while it is at rest", async () => {
      const bench = await new ArmBench().connected();
      bench.velocities = [0, 0.2];
      await bench.run(40);
      expect(await refusal(bench)).toContain("it is moving");
    });

    it("while nobody else commands it", async () => {
      const bench = await new ArmBench().connected();
      const foreign = targetTrajectory(["shoulder", "elbow"], Float64Array.of(1, 1), {
        stampNs: 5n,
        motionMs: 40,
        ttlMs: 100,
      });
      bench.command.deliver(topics.command, encodeJointTrajectory(foreign));
      expect(await refusal(bench)).toContain("another program sends commands to it");
      await bench.run(1100);
      await bench.robot.arm();
    });

    it("when its clock is known well enough", async () => {
      const bench = new ArmBench();
      bench.command.service = () => {
        const time = rosTimeFromNs(bench.robotNs());
        bench.clock.jump(80);
        return { time };
      };
      await bench.connected();
      expect(await refusal(bench)).toContain("the robot's clock is known only to 40 ms");
    });

    it("and goes by the stamps of its messages where it tells no time", async () => {
      const bench = new ArmBench();
      bench.command.service = () => {
        throw new RobotError("no rosapi");
      };
      await (await bench.connected()).robot.arm();
      expect(await bench.send(0, 0)).not.toBeNull();
      expect(bench.all()[0]!.stampNs).toBeLessThanOrEqual(bench.robotNs());
    });
  });

  describe("refuses a command", () => {
    it.each<[string, (stampNs: bigint) => Partial<{ stampNs: bigint; sequence: number; ttlMs: number }>, string]>([
      ["older than its time-to-live", (ns) => ({ stampNs: ns - nsFromMs(101) }), "older than its time-to-live"],
      ["stamped in the future", (ns) => ({ stampNs: ns + nsFromMs(150) }), "stamped in the future"],
      ["with a sequence number that was used", () => ({ sequence: 0 }), "out of order"],
      ["without a time-to-live", () => ({ ttlMs: 0 }), "older than its time-to-live"],
    ])("%s, and stays armed", async (_, change, reason) => {
      const bench = await new ArmBench().armed();
      await bench.send(0, 0);
      await bench.run(20);
      const stampNs = bench.robot.robotTimeNs();
      const command = { values: Float32Array.of(0, 0), stampNs, sequence: 1, ttlMs: 100, ...change(stampNs) };
      expect(await bench.robot.send(command)).toBeNull();
      expect(bench.robot.mode).toEqual({ name: "armed", reason: expect.stringContaining(reason) });
      expect(bench.robot.counters.sent).toBe(1);
      expect(Object.keys(bench.robot.counters.held)[0]).toContain(reason);
    });

    it("that follows the last one at once", async () => {
      const bench = await new ArmBench().armed();
      await bench.send(0, 0);
      expect(await bench.send(0, 0)).toBeNull();
      expect(bench.robot.mode.reason).toBe("commands follow each other too fast");
    });
  });

  it("ramps to a first command that is far away when told to", async () => {
    const bench = await new ArmBench({ safety: { firstCommand: "ramp" } }).armed();
    for (let tick = 0; tick < 50; tick++) {
      await bench.send(0.5, 0);
      await bench.run(20);
    }
    const targets = bench.all().map(({ points }) => points[0]!.positions[0]!);
    const fastest = Math.max(...targets.slice(1).map((value, index) => value - targets[index]!));
    // A quarter of half of 2 rad/s, 20 ms each.
    expect(fastest).toBeLessThanOrEqual(0.005 + 1e-9);
    expect(targets.at(-1)).toBeGreaterThan(0.2);
  });
});
