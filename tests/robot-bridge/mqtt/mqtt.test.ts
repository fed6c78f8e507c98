import { afterEach, describe, expect, it } from "@jest/globals";
import { MqttLink, type MqttLinkOptions, mqttArmLinks } from "#robot-bridge/mqtt/link.ts";
import { MqttServer } from "#robot-bridge/mqtt/server.ts";
import { decodeString, encodeBool, encodeString, messageTypes } from "#robot-bridge/protocol/messages.ts";
import { topics } from "#robot-bridge/protocol/topics.ts";
import { setEstop } from "#robot-bridge/robots/emergency-stop.ts";
import { FaultProxy } from "../../doubles/fault-proxy.ts";
import { SmallBroker } from "../../doubles/small-broker.ts";

const prefix = "armature/test";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function until(condition: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  for (const endMs = performance.now() + timeoutMs; !condition(); ) {
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function start() {
  const broker = new SmallBroker();
  const port = await broker.listen();
  closing.push(() => broker.close());
  const server = new MqttServer({ url: `mqtt://127.0.0.1:${port}`, prefix, nowNs: () => 5_000_000_007n });
  const heard: string[] = [];
  const senders = new Set<string>();
  server.subscribe("/in", messageTypes.string, (message, { from }) => {
    heard.push(decodeString(message));
    senders.add(from);
  });
  await server.listen();
  closing.push(() => server.close());
  const proxy = new FaultProxy(port);
  const url = (await proxy.listen()).replace("ws:", "mqtt:");
  closing.push(() => proxy.close());
  const make = (options: Partial<MqttLinkOptions> = {}) => {
    const link = new MqttLink({
      url,
      prefix,
      name: "link",
      retryMs: 20,
      longestRetryMs: 40,
      keepaliveS: 1,
      ...options,
    });
    closing.push(() => link.close());
    return link;
  };
  return { broker, port, server, heard, senders, proxy, url, make };
}

const say = (link: MqttLink, text: string) => link.publish("/in", messageTypes.string, encodeString(text));

describe("MQTT", () => {
  it("carries messages both ways, answers services, and names the sender", async () => {
    const { server, heard, senders, make } = await start();
    server.provide("/double", ({ value }) => ({ value: 2 * Number(value) }));
    const link = make();
    const arrived: unknown[] = [];
    link.subscribe("/out", messageTypes.string, (message) => arrived.push(message));
    await link.open();
    say(link, "hello");
    expect(await link.call("/double", { value: 21 }, 1000)).toEqual({ value: 42 });
    expect(await link.call("/rosapi/get_time", {}, 1000)).toEqual({ time: { sec: 5, nanosec: 7 } });
    await expect(link.call("/nothing", {}, 1000)).rejects.toThrow('"service /nothing does not exist"');
    expect(heard).toEqual(["hello"]);
    expect([...senders]).toEqual([expect.stringMatching(/^armature-/)]);
    server.publish("/out", { data: "x" });
    await until(() => arrived.length === 1, "the message arrived");
  });

  it("delivers none of 500 messages that were published while it was down", async () => {
    const { heard, proxy, make } = await start();
    const link = make();
    await link.open();
    say(link, "before");
    await until(() => heard.length === 1, "the first message arrived");
    proxy.cut();
    await until(() => !link.isUp, "down");
    expect(Array.from({ length: 500 }, (_, index) => say(link, `lost ${index}`))).not.toContain(true);
    proxy.restore();
    await until(() => link.isUp, "up again");
    say(link, "after");
    await until(() => heard.includes("after"), "it works again");
    await link.call("/rosapi/get_time", {}, 1000);
    expect(heard).toEqual(["before", "after"]);
    expect(link.unsent).toBe(500);
  });

  it("tells the arm to hold, by the broker, when the bridge dies without a goodbye", async () => {
    const { broker, server, proxy, url } = await start();
    const commands: unknown[] = [];
    server.subscribe(topics.command, messageTypes.jointTrajectory, (message) => commands.push(message));
    const links = mqttArmLinks(["a", "b"], { url, prefix, keepaliveS: 1 });
    closing.push(() => Promise.all([links.command.close(), links.camera.close(), links.estop.close()]));
    await links.command.open();
    const startMs = performance.now();
    proxy.swallow("up", "down");
    await until(() => commands.length > 0, "the will arrived");
    expect(performance.now() - startMs).toBeLessThan(3000);
    expect(commands[0]).toMatchObject({ joint_names: ["a", "b"], points: [] });
    expect(broker.published.at(-1)!.topic).toBe(`${prefix}${topics.command}`);
  });

  it("says goodbye when it is closed: no will", async () => {
    const { broker, url } = await start();
    const links = mqttArmLinks(["a"], { url, prefix });
    await links.command.open();
    await links.command.close();
    expect(broker.published.filter(({ topic }) => topic.endsWith(topics.command))).toEqual([]);
  });

  it("keeps the e-stop for those who come later", async () => {
    const { make } = await start();
    await setEstop({ link: make(), isOn: true });
    const late = make();
    const seen: unknown[] = [];
    late.subscribe(topics.estop, messageTypes.bool, (message) => seen.push(message));
    await late.open();
    await until(() => seen.length > 0, "the retained message arrived");
    expect(seen[0]).toEqual(encodeBool(true));
  });

  it("finds a broker that was restarted, and tells it again what lasts", async () => {
    const { broker, port, server, make } = await start();
    server.publish("/task/instruction", { data: "push" }, { latch: true });
    const link = make();
    const seen: unknown[] = [];
    link.subscribe("/task/instruction", messageTypes.string, (message) => seen.push(message));
    await link.open();
    await until(() => seen.length === 1, "the first time");
    await broker.close();
    const second = new SmallBroker();
    await second.listen(port);
    closing.push(() => second.close());
    await until(() => seen.length > 1, "after the restart");
    expect(await link.call("/rosapi/get_time", {}, 2000)).toMatchObject({ time: { sec: 5 } });
  });

  it.each([
    ["http://127.0.0.1", "must be an address like mqtt://host:1883"],
    ["mqtt://127.0.0.1:1", "nothing listens there"],
    ["mqtt://user:secret@127.0.0.1:1", "mqtt://...@127.0.0.1:1"],
  ])("says in one sentence why it cannot connect to %s", async (url, message) => {
    const link = new MqttLink({ url, prefix, name: "link", connectTimeoutMs: 500 });
    const error = await link.open().catch((caught: Error) => caught);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain("secret");
  });
});
