import { afterEach, describe, expect, it } from "@jest/globals";
import { parseConfig } from "#core/config/resolve.ts";
import { ConfigError } from "#core/errors.ts";
import { bridgeRunConfig, bridgeSimulateConfig, bridgeStopConfig } from "#robot-bridge/config.ts";
import { findArm, runBridgeFrom, stopRobot } from "#robot-bridge/from-config.ts";
import { BridgeRig } from "../doubles/bridge-rig.ts";

let rig: BridgeRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

describe("The bridge's configuration", () => {
  it("has safe defaults", () => {
    expect(parseConfig(bridgeRunConfig, {})).toMatchObject({
      robot: "ws://127.0.0.1:9090",
      rearm: "never",
      rateHz: 50,
      ttlMs: 100,
      safety: { firstCommand: "refuse", velocityShare: 0.5 },
    });
    expect(parseConfig(bridgeSimulateConfig, {})).toMatchObject({ host: "127.0.0.1", emptyTrajectory: "refuse" });
    expect(parseConfig(bridgeStopConfig, {})).toMatchObject({ topic: "/estop", release: false });
  });

  it.each([
    [bridgeRunConfig, { safety: { velocityShare: 2 } }, "safety.velocityShare"],
    [bridgeRunConfig, { rearm: "always" }, 'must be "never" or "after-cut"'],
    [bridgeRunConfig, { rateHz: 1000 }, "rateHz: must be at most 200"],
    [bridgeSimulateConfig, { split: "test" }, "split"],
  ])("refuses values that make no sense: %#", (schema, value, message) => {
    expect(() => parseConfig(schema, value)).toThrow(message);
  });

  it("names the arm or its file", () => {
    expect(findArm("tabletop-arm").chain.joints).toHaveLength(6);
    expect(() => findArm("my-arm.json")).toThrow(ConfigError);
  });
});

describe("runBridgeFrom", () => {
  it("drives a robot by flags, with the policy's cameras on the topics that they name", async () => {
    rig = await new BridgeRig().open();
    const config = parseConfig(bridgeRunConfig, { robot: rig.url, durationS: 0.6, instruction: "circle" });
    const spec = { ...rig.policy.spec, cameras: [{ name: "front", height: 8, width: 8 }] };
    const policy = Object.assign(Object.create(rig.policy), { spec });
    const lines: string[] = [];
    const summary = await runBridgeFrom(config, policy, { log: (line) => lines.push(line) });
    expect(summary).toMatchObject({ ended: "time", instruction: "circle" });
    expect(summary.robot.sent).toBeGreaterThan(10);
    expect(lines).toContain("armed");
  });
});

describe("runBridgeFrom over MQTT", () => {
  it("drives the robot, and stopRobot stops it", async () => {
    rig = await new BridgeRig({ transport: "mqtt" }).open();
    const address = { robot: rig.url, mqttPrefix: "armature/arm-1" };
    const running = runBridgeFrom(parseConfig(bridgeRunConfig, address), rig.policy);
    await rig.moving();
    await stopRobot(parseConfig(bridgeStopConfig, address));
    expect(await running).toMatchObject({ ended: "estop" });
    expect(rig.sim.status().estop).toBe(true);
  });
});

describe("stopRobot", () => {
  it("presses and releases the e-stop, and says when nobody is there", async () => {
    rig = await new BridgeRig().open();
    const stop = parseConfig(bridgeStopConfig, { robot: rig.url });
    expect((await stopRobot(stop)).confirmedMs).toBeLessThan(500);
    expect(rig.sim.status().estop).toBe(true);
    await stopRobot({ ...stop, release: true });
    expect(rig.sim.status().estop).toBe(false);
    rig.proxy.cut();
    await expect(stopRobot(stop)).rejects.toThrow("the connection was cut while it was made");
  });
});
