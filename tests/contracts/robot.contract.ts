import { describe, expect, it } from "@jest/globals";
import type { Robot } from "#core/contracts/robot.ts";
import { RobotError } from "#core/errors.ts";

export type RobotUnderTest = {
  readonly robot: Robot;
  /** Lets time pass until a promise is settled. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** The robot's time now. */
  nowNs(): bigint;
  /** Where the robot is: a command that asks for no motion. */
  here(): Float32Array;
};

/** What every `Robot` must do, whatever is behind it. */
export function robotContract(name: string, make: () => RobotUnderTest): void {
  describe(`${name} as a Robot`, () => {
    const command = ({ here, nowNs }: RobotUnderTest, sequence = 0) => ({
      values: here(),
      stampNs: nowNs(),
      sequence,
      ttlMs: 100,
    });
    const armed = async () => {
      const under = make();
      await under.settle(under.robot.connect());
      await under.settle(under.robot.arm());
      return under;
    };

    it("shows its features before it is connected", () => {
      const { robot } = make();
      const { names, units, limits } = robot.actionFeatures;
      expect([units.length, limits.low.length, limits.high.length]).toEqual([names.length, names.length, names.length]);
      expect(robot.observationFeatures.stateUnits.length).toBe(robot.observationFeatures.stateNames.length);
    });

    it("is disarmed once connected: it is seen, but does not move", async () => {
      const under = make();
      await under.settle(under.robot.connect());
      expect(under.robot.mode.name).toBe("disarmed");
      expect((await under.robot.observe()).state).toHaveLength(under.robot.observationFeatures.stateNames.length);
      expect(await under.robot.send(command(under))).toBeNull();
    });

    it("sends commands once armed, and returns what was really sent", async () => {
      const under = await armed();
      const sent = await under.robot.send(command(under));
      expect(sent!.values).toBeAllClose(under.here());
      expect(sent!.sequence).toBe(0);
    });

    it("stays in hold until it is armed again", async () => {
      const under = await armed();
      await under.robot.hold("somebody said so", { latch: true });
      expect(under.robot.mode).toEqual({ name: "hold", reason: "somebody said so" });
      expect(await under.robot.send(command(under))).toBeNull();
      await under.settle(under.robot.arm());
      expect(under.robot.mode.name).toBe("armed");
    });

    it("goes on after a hold that is not latched", async () => {
      const under = await armed();
      await under.robot.hold("the policy is late");
      expect(under.robot.mode.name).toBe("armed");
    });

    it("never throws when it is told to hold, connected or not", async () => {
      const { robot, settle } = make();
      await robot.hold("too early", { latch: true });
      await settle(robot.disconnect());
      await robot.hold("too late");
      expect(robot.mode.name).toBe("disarmed");
    });

    it("sees and sends nothing after it was disconnected", async () => {
      const under = await armed();
      await under.settle(under.robot.disconnect());
      expect(under.robot.mode.name).toBe("disarmed");
      expect(await under.robot.send(command(under, 1))).toBeNull();
      await expect(under.robot.arm()).rejects.toThrow(RobotError);
    });
  });
}
