import { ArmBench } from "../doubles/arm-bench.ts";
import { FakeClock } from "../doubles/fake-clock.ts";
import { ScriptedRobot } from "../doubles/scripted-robot.ts";
import { robotContract } from "./robot.contract.ts";

robotContract("RosArm", () => {
  const bench = new ArmBench();
  return {
    robot: bench.robot,
    settle: (promise) => bench.settle(promise),
    nowNs: () => bench.robotNs(),
    here: () => Float32Array.from(bench.positions),
  };
});

robotContract("The robot that tests of the loop use", () => {
  const clock = new FakeClock();
  const robot = new ScriptedRobot(clock);
  robot.mode = { name: "disarmed", reason: "not connected" };
  return {
    robot,
    settle: (promise) => promise,
    nowNs: () => clock.nowNs(),
    here: () => Float32Array.from(robot.positions),
  };
});
