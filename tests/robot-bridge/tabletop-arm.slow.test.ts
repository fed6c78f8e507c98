/** @file The whole way with physics: expert, control loop, rosbridge sockets, bad network, MuJoCo arm, task solved. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { systemClock } from "#core/clock.ts";
import { parseConfig } from "#core/config/resolve.ts";
import { bridgeSimulateConfig } from "#robot-bridge/config.ts";
import { openExpert, simulateArmFrom } from "#robot-bridge/from-config.ts";
import { RosArm } from "#robot-bridge/robots/ros-arm.ts";
import { rosArmLinks } from "#robot-bridge/robots/ros-link.ts";
import { runBridge } from "#robot-bridge/run.ts";
import type { RunningArm } from "#robot-bridge/simulate.ts";
import { tabletopArm } from "#robot-bridge/simulation/tabletop-arm.ts";
import { FaultProxy } from "../doubles/fault-proxy.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startArm(): Promise<{ sim: RunningArm; proxy: FaultProxy; url: string }> {
  const sim = await simulateArmFrom(parseConfig(bridgeSimulateConfig, { port: 0, seed: 5 }));
  const proxy = new FaultProxy(Number(new URL(sim.url).port));
  const url = await proxy.listen();
  closers.push(
    () => sim.close(),
    () => proxy.close(),
  );
  return { sim, proxy, url };
}

async function drive(sim: RunningArm, url: string, rearm: "never" | "after-cut" = "never") {
  const policy = await openExpert({ robot: sim.url, mqttPrefix: "" });
  const cameras = [{ name: "front", topic: "/camera/front/compressed", height: 64, width: 64 }];
  // Physics, pictures and bridge share one busy thread here.
  const ages = { maxStateAgeMs: 500, maxCameraAgeMs: 1000 };
  const robot = new RosArm({ description: tabletopArm, cameras, ...ages }, rosArmLinks(url, { retryMs: 50 }));
  try {
    return await runBridge({ policy, robot, description: tabletopArm, rearm });
  } finally {
    await policy.close();
  }
}

describe("The tabletop arm behind rosbridge", () => {
  it("solves tasks of the push suite under the expert", async () => {
    const { sim, url } = await startArm();
    const solved: boolean[] = [];
    for (let episode = 0; episode < 6; episode++) {
      const summary = await drive(sim, url);
      solved.push(summary.task?.success === true);
      sim.reset();
      await systemClock.sleep(300);
    }
    // In real time: a busy machine solves fewer.
    expect(solved.filter(Boolean).length).toBeGreaterThanOrEqual(3);
    expect(sim.status().commands).toMatchObject({ executedTooOld: 0, executedUnstamped: 0 });
  });

  it("still says what it did when it is closed", async () => {
    const { sim } = await startArm();
    await sim.close();
    expect(sim.status().commands.executed).toBe(0);
  });

  it("goes on with its task after the link was cut in the middle, and executes nothing old", async () => {
    const { sim, proxy, url } = await startArm();
    const running = drive(sim, url, "after-cut");
    const isUnderWay = async () => {
      while (sim.status().commands.executed < 40) await systemClock.sleep(10);
    };
    await Promise.race([isUnderWay(), running]);
    proxy.cut();
    const cutMs = Date.now();
    await systemClock.sleep(400);
    const { executed, oldestMs } = sim.status().commands;
    const at = sim.status().joints.positions;
    await systemClock.sleep(600);
    const later = sim.status();
    expect(later.commands.executed).toBe(executed);
    expect(oldestMs).toBeLessThanOrEqual(100);
    expect(Math.max(...later.joints.positions.map((value, joint) => Math.abs(value - at[joint]!)))).toBeLessThan(2e-3);
    expect(later.task.done).toBe(false);
    proxy.restore();
    const summary = await running;
    expect(summary.rearmed).toBe(1);
    expect(summary.ended).toBe("task");
    expect(Date.now() - cutMs).toBeGreaterThan(2000);
    expect(sim.status().commands.executedTooOld).toBe(0);
  });
});
