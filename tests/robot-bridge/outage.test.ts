/** @file What a bad network may do to a moving arm, over real sockets: nothing. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { BridgeRig, type RigOptions } from "../doubles/bridge-rig.ts";

let open: BridgeRig | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** A run whose arm is under way. */
async function moving(options?: RigOptions) {
  const rig = await new BridgeRig(options).open();
  open = rig;
  const running = rig.run();
  await rig.moving();
  return { rig, running, proxy: rig.proxy };
}

/** Time-to-live, the joints' own lag and the judge's grain, ms. */
const stoppedWithinMs = 250;
/** A servo that comes to rest creeps a little. */
const restRad = 2e-3;

describe.each(["rosbridge", "mqtt"] as const)("A moving arm behind %s", (transport) => {
  it("stops when the link is cut, and nothing that was sent before is executed after it", async () => {
    const { rig, running, proxy } = await moving({ transport });
    const cutMs = rig.nowMs();
    proxy.cut();
    const summary = await running;
    await rig.wait(stoppedWithinMs);
    const { executed } = rig.sim.status().commands;
    proxy.restore();
    await rig.wait(300);
    expect(summary).toMatchObject({ ended: "stale", detail: expect.stringContaining("link was lost") });
    expect(rig.sim.status().commands).toMatchObject({ executedTooOld: 0, executed });
    expect(rig.sim.status().commands.oldestMs).toBeLessThanOrEqual(100);
    expect(rig.movedRad(cutMs - 300, cutMs)).toBeGreaterThan(0.01);
    expect(rig.movedRad(cutMs + stoppedWithinMs)).toBeLessThan(restRad);
  });

  it("stops when the network stalls; what waited in it is refused as too old", async () => {
    const { rig, running, proxy } = await moving({ transport });
    proxy.stall("up", "down");
    await rig.until(() => rig.lines.some((line) => line.startsWith("stale:")), "the stall was noticed");
    await rig.wait(120);
    proxy.restore();
    const restoredMs = rig.nowMs();
    const summary = await running;
    await rig.wait(200);
    expect(summary).toMatchObject({ ended: "stale", detail: expect.stringContaining("joint states") });
    const { commands } = rig.sim.status();
    expect(commands.refused["too old"]).toBeGreaterThan(0);
    expect(commands).toMatchObject({ executedTooOld: 0 });
    expect(commands.oldestMs).toBeLessThanOrEqual(100);
    expect(rig.movedRad(restoredMs + 100)).toBeLessThan(restRad);
  });

  it("stops when only its commands are held back", async () => {
    const { rig, running, proxy } = await moving({ transport, robot: { safety: { trackingErrorRad: 0.05 } } });
    const stallMs = rig.nowMs();
    proxy.stall("up");
    const summary = await running;
    proxy.restore();
    await rig.wait(200);
    expect(["hold", "stale"]).toContain(summary.ended);
    expect(rig.sim.status().commands).toMatchObject({ executedTooOld: 0 });
    // The held-back hold may arrive, but moves nothing far.
    expect(rig.movedRad(stallMs + stoppedWithinMs)).toBeLessThan(0.06);
  });

  it("stops when the connection is half open: the peer is gone and nobody says so", async () => {
    const { rig, running, proxy } = await moving({ transport });
    const goneMs = rig.nowMs();
    proxy.swallow("up", "down");
    const summary = await running;
    await rig.wait(200);
    expect(summary).toMatchObject({ ended: "stale", detail: expect.stringContaining("joint states") });
    expect(rig.sim.status().commands).toMatchObject({ executedTooOld: 0 });
    expect(rig.movedRad(goneMs + stoppedWithinMs)).toBeLessThan(restRad);
  });

  it("executes no command that a slow network made too old", async () => {
    const { rig, running, proxy } = await moving({ transport });
    proxy.delay(130);
    await rig.wait(600);
    rig.stop();
    await running;
    await rig.wait(200);
    const { commands } = rig.sim.status();
    expect(commands.refused["too old"]).toBeGreaterThan(0);
    expect(commands).toMatchObject({ executedTooOld: 0 });
    expect(commands.oldestMs).toBeLessThanOrEqual(100);
  });
});

describe("A moving arm", () => {
  it("is not set back by commands that overtake each other", async () => {
    const { rig, running, proxy } = await moving();
    proxy.swapMessages();
    await rig.wait(500);
    rig.stop();
    const summary = await running;
    expect(summary.ended).toBe("stopped");
    const { commands } = rig.sim.status();
    expect(commands.refused["overtaken by a newer one"]).toBeGreaterThan(5);
    expect(commands.executedTooOld).toBe(0);
  });

  it("stops when the server is killed, and is not armed by its return", async () => {
    const { rig, running } = await moving();
    const killedMs = rig.nowMs();
    const port = Number(new URL(rig.sim.url).port);
    await rig.sim.close();
    const summary = await running;
    await rig.startSimulation(port);
    await rig.wait(300);
    expect(summary).toMatchObject({ ended: "stale", rearmed: 0 });
    expect(rig.sim.status().commands.accepted).toBe(0);
    expect(rig.movedRad(killedMs + stoppedWithinMs)).toBeLessThan(restRad);
  });
});

describe("A run that may arm again after a cut", () => {
  const rearming: RigOptions = { run: { rearm: "after-cut" } };

  it("waits a second after the link is back, then goes on from where the arm is", async () => {
    const { rig, running, proxy } = await moving(rearming);
    proxy.cut();
    await rig.until(() => rig.lines.some((line) => line.includes("waiting for the robot")), "the cut was noticed");
    await rig.wait(200);
    const { executed } = rig.sim.status().commands;
    proxy.restore();
    const backMs = rig.nowMs();
    await rig.until(() => rig.sim.status().commands.executed > executed + 10, "the arm moves again");
    expect(rig.nowMs() - backMs).toBeGreaterThan(1000);
    expect(rig.movedRad(backMs, backMs + 900)).toBeLessThan(restRad);
    rig.stop();
    const summary = await running;
    expect(summary).toMatchObject({ ended: "stopped", rearmed: 1 });
    expect(summary.loops).toHaveLength(2);
    expect(rig.policy.resets).toBe(2);
    expect(rig.sim.status().commands.executedTooOld).toBe(0);
  });

  it("does not when the arm was moved meanwhile", async () => {
    const { rig, running, proxy } = await moving(rearming);
    proxy.cut();
    await rig.until(() => rig.lines.some((line) => line.includes("waiting for the robot")), "the cut was noticed");
    await rig.wait(300);
    rig.plant.pushRad = 0.4;
    await rig.wait(200);
    proxy.restore();
    const summary = await running;
    expect(summary).toMatchObject({ ended: "stale", rearmed: 0 });
    expect(rig.lines.join("\n")).toMatch(/not armed again: it was moved by 0.\d\d rad while nobody watched/);
  });
});
