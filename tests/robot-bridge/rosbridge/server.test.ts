import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { WebSocket } from "ws";
import { ConfigError, RobotError } from "#core/errors.ts";
import { splitIntoFragments } from "#robot-bridge/protocol/fragments.ts";
import { RosbridgeServer, type RosbridgeServerOptions } from "#robot-bridge/rosbridge/server.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: Partial<RosbridgeServerOptions> = {}) {
  const lines: string[] = [];
  const server = new RosbridgeServer({ port: 0, log: (line) => lines.push(line), ...options });
  const { url, port } = await server.listen();
  closing.push(() => server.close());
  return { server, url, port, lines };
}

/** A raw client: sends JSON, and hands out what arrives in order. */
async function join(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers });
  closing.push(() => socket.terminate());
  const arrived: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Record<string, unknown>;
    const first = waiting.shift();
    if (first) first(message);
    else arrived.push(message);
  });
  await once(socket, "open");
  return {
    socket,
    arrived,
    send: (message: unknown) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    next: () => {
      const ready = arrived.shift();
      return ready
        ? Promise.resolve(ready)
        : new Promise<Record<string, unknown>>((resolve) => waiting.push((message) => resolve(message)));
    },
    /** Everything sent so far has been handled once this answer is here. */
    async settle() {
      this.send({ op: "call_service", id: "settle", service: "/rosapi/get_time" });
      for (;;) {
        const message = await this.next();
        if (message.id === "settle") return;
        arrived.push(message);
      }
    },
  };
}

describe("RosbridgeServer", () => {
  it("carries messages between clients and to itself, by name with or without a slash", async () => {
    const { server, url } = await start();
    const heard: unknown[] = [];
    server.subscribe("/chatter", "std_msgs/msg/String", (message) => heard.push(message));
    const listener = await join(url);
    const speaker = await join(url);
    listener.send({ op: "subscribe", topic: "chatter", type: "std_msgs/String" });
    await listener.settle();
    speaker.send({ op: "advertise", topic: "/chatter", type: "std_msgs/msg/String" });
    speaker.send({ op: "publish", topic: "/chatter", msg: { data: "hello" } });
    expect(await listener.next()).toEqual({ op: "publish", topic: "chatter", msg: { data: "hello" } });
    expect(heard).toEqual([{ data: "hello" }]);
  });

  it("hands latched messages to clients that come later, even when the sender has left", async () => {
    const { url } = await start();
    const speaker = await join(url);
    speaker.send({ op: "advertise", topic: "/estop", type: "std_msgs/msg/Bool", latch: true });
    speaker.send({ op: "publish", topic: "/estop", msg: { data: true } });
    await speaker.settle();
    speaker.socket.terminate();
    const late = await join(url);
    late.send({ op: "subscribe", topic: "/estop", type: "std_msgs/msg/Bool" });
    expect(await late.next()).toMatchObject({ topic: "/estop", msg: { data: true } });
  });

  it("stops sending after the last unsubscribe of a topic", async () => {
    const { server, url } = await start();
    const client = await join(url);
    client.send({ op: "subscribe", id: "1", topic: "/a", type: "std_msgs/msg/String" });
    client.send({ op: "subscribe", id: "2", topic: "/a", type: "std_msgs/msg/String" });
    client.send({ op: "unsubscribe", id: "1", topic: "/a" });
    await client.settle();
    server.publish("/a", { data: "1" });
    expect(await client.next()).toMatchObject({ msg: { data: "1" } });
    client.send({ op: "unsubscribe", id: "2", topic: "/a" });
    await client.settle();
    expect(server.listeners("/a")).toBe(0);
  });

  it("thins a topic out to the subscriber's rate: without a queue the rest is dropped, with one the newest comes", async () => {
    const { server, url } = await start();
    const [dropping, queueing] = [await join(url), await join(url)];
    dropping.send({ op: "subscribe", topic: "/a", throttle_rate: 40 });
    queueing.send({ op: "subscribe", topic: "/a", throttle_rate: 40, queue_length: 1 });
    await dropping.settle();
    await queueing.settle();
    for (let number = 0; number < 5; number++) server.publish("/a", { number });
    expect(await dropping.next()).toMatchObject({ msg: { number: 0 } });
    expect(await queueing.next()).toMatchObject({ msg: { number: 0 } });
    expect(await queueing.next()).toMatchObject({ msg: { number: 4 } });
    expect(dropping.arrived).toEqual([]);
  });

  it("answers its own services, and reports what they throw and services that nobody offers", async () => {
    const { server, url } = await start({ clock: { nowNs: () => 1_000_000_007n, sleep: async () => undefined } });
    server.provide("/fail", () => {
      throw new Error("the arm is asleep");
    });
    const client = await join(url);
    const ask = async (service: string) => {
      client.send({ op: "call_service", id: "1", service });
      return client.next();
    };
    expect(await ask("/rosapi/get_time")).toMatchObject({ values: { time: { sec: 1, nanosec: 7 } }, result: true });
    expect(await ask("/fail")).toMatchObject({ values: "the arm is asleep", result: false });
    expect(await ask("/nothing")).toMatchObject({ values: "service /nothing does not exist", result: false });
  });

  it("forwards calls to the client that offers a service, until it leaves", async () => {
    const { url } = await start();
    const [provider, caller] = [await join(url), await join(url)];
    provider.send({ op: "advertise_service", service: "/add", type: "x/Add" });
    await provider.settle();
    caller.send({ op: "call_service", id: "7", service: "/add", args: { a: 1 } });
    const call = await provider.next();
    expect(call).toMatchObject({ op: "call_service", service: "/add", args: { a: 1 } });
    provider.send({ op: "service_response", id: call.id, service: "/add", values: { sum: 2 }, result: true });
    expect(await caller.next()).toMatchObject({ id: "7", values: { sum: 2 }, result: true });
    caller.send({ op: "call_service", id: "8", service: "/add" });
    await provider.next();
    provider.socket.terminate();
    expect(await caller.next()).toMatchObject({ id: "8", result: false, values: "the service's provider went away" });
  });

  it("puts fragments together", async () => {
    const { server, url } = await start();
    const heard: unknown[] = [];
    server.subscribe("/a", "std_msgs/msg/String", (message) => heard.push(message));
    const client = await join(url);
    const whole = JSON.stringify({ op: "publish", topic: "/a", msg: { data: "long" } });
    for (const fragment of splitIntoFragments(whole, "1", 10)) client.send(fragment);
    await client.settle();
    expect(heard).toEqual([{ data: "long" }]);
  });

  it("logs and ignores what it does not understand, and goes on", async () => {
    const { url, lines } = await start();
    const client = await join(url);
    client.send("not JSON");
    client.send({ op: "dance" });
    client.send({ op: "publish", topic: "/a" });
    client.send({ op: "advertise", topic: "/a", type: "std_msgs/msg/Bool" });
    client.send({ op: "advertise", topic: "/a", type: "std_msgs/msg/String" });
    client.socket.send(Buffer.from([0xff, 0xfe, 0x00]));
    await client.settle();
    const text = lines.join("\n");
    for (const part of ["is not JSON", 'unknown operation "dance"', "rosbridge publish: msg", "has another type"]) {
      expect(text).toContain(part);
    }
  });

  it("drops messages for a client that does not read, and says how many", async () => {
    const { server, url, port } = await start({ maxBufferedBytes: 100_000 });
    const reader = await join(url);
    const raw = connect(port, "127.0.0.1");
    closing.push(() => raw.destroy());
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    raw.write(
      `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    await once(raw, "data");
    const text = Buffer.from(JSON.stringify({ op: "subscribe", topic: "/big" }));
    // One masked text frame with a mask of zeros.
    raw.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
    raw.pause();
    while (server.listeners("/big") === 0) await reader.settle();
    for (let count = 0; count < 200; count++) {
      server.publish("/big", { data: "x".repeat(100_000) });
      await reader.settle();
    }
    expect(server.dropped).toBeGreaterThan(50);
  });

  it("cuts off a client that answers no ping", async () => {
    const { url } = await start({ pingMs: 30 });
    const socket = new WebSocket(url, { autoPong: false });
    const [code] = (await once(socket, "close")) as [number];
    expect(code).toBe(1006);
  });

  it("says which port is taken and what to do", async () => {
    const { port } = await start();
    const second = new RosbridgeServer({ port });
    await expect(second.listen()).rejects.toThrow(RobotError);
    await expect(second.listen()).rejects.toThrow(`port ${port} must be free`);
  });

  it("closes even when it never listened", async () => {
    await new RosbridgeServer({ port: 0 }).close();
  });

  describe("access", () => {
    const rejected = async (url: string, headers: Record<string, string> = {}) => {
      const socket = new WebSocket(url, { headers });
      const [error] = (await once(socket, "error")) as [Error];
      return error.message;
    };

    it("refuses pages of other origins, and lets those of this machine in", async () => {
      const { url } = await start();
      expect(await rejected(url, { origin: "https://example.com" })).toContain("401");
      expect(await rejected(url, { origin: "null" })).toContain("401");
      await join(url, { origin: "http://localhost:5173" });
    });

    it("asks for a token when it has one", async () => {
      const token = "a long enough secret";
      const { url } = await start({ token });
      expect(await rejected(url)).toContain("401");
      expect(await rejected(`${url}/?token=wrong`)).toContain("401");
      await join(`${url}/?token=${encodeURIComponent(token)}`);
      await join(url, { authorization: `Bearer ${token}` });
    });

    it("is not opened to other machines without a token", () => {
      const open = (token: string) => () => new RosbridgeServer({ port: 0, host: "0.0.0.0", token });
      expect(open("")).toThrow(ConfigError);
      expect(open("short")).toThrow("token: must have at least 16 characters");
      expect(open("0123456789abcdef")).not.toThrow();
    });
  });
});
