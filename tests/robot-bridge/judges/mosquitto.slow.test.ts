/** @file The bridge over a broker that is not ours. Skipped where mosquitto is not installed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { systemClock } from "#core/clock.ts";
import { mqttArmLinks } from "#robot-bridge/mqtt/link.ts";
import { MqttServer } from "#robot-bridge/mqtt/server.ts";
import { RosArm } from "#robot-bridge/robots/ros-arm.ts";
import { runBridge } from "#robot-bridge/run.ts";
import { simulateArm } from "#robot-bridge/simulate.ts";
import { tabletopArm } from "#robot-bridge/simulation/tabletop-arm.ts";
import { planarDelta } from "#world/index.ts";
import { circling } from "../../doubles/bridge-rig.ts";
import { KinematicPlant } from "../../doubles/kinematic-plant.ts";
import { ScriptedPolicy } from "../../doubles/scripted-policy.ts";

const program = "mosquitto";
const isInstalled = spawnSync(program, ["-h"]).error === undefined;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startBroker(port: number): Promise<ChildProcess> {
  const broker = spawn(program, ["-p", String(port)], { stdio: "ignore" });
  closing.push(() => broker.kill("SIGKILL"));
  await systemClock.sleep(500);
  return broker;
}

(isInstalled ? describe : describe.skip)("mosquitto (apt install mosquitto)", () => {
  it("carries a run; when it is killed in the middle the arm stops, and nothing old is executed after its return", async () => {
    const port = await freePort();
    const broker = await startBroker(port);
    const address = { url: `mqtt://127.0.0.1:${port}`, prefix: "armature/judge" };
    const plant = new KinematicPlant();
    const sim = await simulateArm({
      plant,
      pictureSize: 16,
      openServer: ({ clock }) => new MqttServer({ ...address, nowNs: () => clock.nowNs() }),
    });
    closing.push(() => sim.close());
    const policy = new ScriptedPolicy({
      clock: systemClock,
      space: planarDelta,
      chunkLength: 8,
      rateHz: 10,
      answer: circling,
    });
    const cameras = [{ name: "front", topic: "/camera/front/compressed", height: 16, width: 16 }];
    const robot = new RosArm({ description: tabletopArm, cameras }, mqttArmLinks(plant.names, address));
    const running = runBridge({ policy, robot, description: tabletopArm, rearm: "after-cut", durationS: 2 });
    while (sim.status().commands.executed < 30) await systemClock.sleep(10);
    broker.kill("SIGKILL");
    await systemClock.sleep(400);
    const { executed } = sim.status().commands;
    const at = plant.read().positions;
    await startBroker(port);
    await systemClock.sleep(300);
    expect(sim.status().commands.executed).toBe(executed);
    expect(plant.read().positions).toBeAllClose(at, { absolute: 2e-3 });
    const summary = await running;
    expect(summary).toMatchObject({ ended: "time", rearmed: 1 });
    expect(sim.status().commands).toMatchObject({ executedTooOld: 0, executedUnstamped: 0 });
    expect(sim.status().commands.executed).toBeGreaterThan(executed + 50);
  });
});
