import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { RobotError } from "#core/errors.ts";
import { decodeString, encodeString, messageTypes } from "#robot-bridge/protocol/messages.ts";
import { RosLink, type RosLinkOptions } from "#robot-bridge/robots/ros-link.ts";
import { RosbridgeServer } from "#robot-bridge/rosbridge/server.ts";
import { FaultProxy } from "../../doubles/fault-proxy.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}

async function start(options: Partial<RosLinkOptions> = {}, port = 0) {
  const server = new RosbridgeServer({ port });
  const heard: string[] = [];
  server.subscribe("/in", messageTypes.string, (message) => heard.push(decodeString(message)));
  const address = await server.listen();
  closing.push(() => server.close());
  const proxy = new FaultProxy(address.port);
  const url = await proxy.listen();
  closing.push(() => proxy.close());
  const lines: string[] = [];
  const link = new RosLink({
    url,
    name: "link",
    retryMs: 20,
    longestRetryMs: 40,
    silenceMs: 200,
    log: (line) => lines.push(line),
    ...options,
  });
  closing.push(() => link.close());
  return { server, heard, proxy, link, lines, url, port: address.port };
}

const say = (link: RosLink, text: string) => link.publish("/in", messageTypes.string, encodeString(text));

describe("RosLink", () => {
  it("publishes, listens and calls services", async () => {
    const { server, heard, link } = await start();
    server.provide("/double", ({ value }) => ({ value: 2 * Number(value) }));
    const arrived: unknown[] = [];
    link.subscribe("/out", messageTypes.string, (message) => arrived.push(message));
    await link.open();
    expect(link.isUp).toBe(true);
    expect(say(link, "hello")).toBe(true);
    expect(await link.call("/double", { value: 21 }, 1000)).toEqual({ value: 42 });
    expect(heard).toEqual(["hello"]);
    server.publish("/out", { data: "x" });
    await until(() => arrived.length === 1, "the message arrived");
    await expect(link.call("/nothing", {}, 1000)).rejects.toThrow(
      'the robot answered "service /nothing does not exist"',
    );
  });

  it("delivers none of 500 messages that were published while it was down", async () => {
    const { heard, link, proxy } = await start();
    await link.open();
    say(link, "before");
    await until(() => heard.length === 1, "the first message arrived");
    proxy.cut();
    await until(() => !link.isUp, "the loss was noticed");
    const sent = Array.from({ length: 500 }, (_, index) => say(link, `lost ${index}`));
    expect(sent).not.toContain(true);
    expect(link.unsent).toBe(500);
    proxy.restore();
    await until(() => link.isUp, "the link is up again");
    expect(say(link, "after")).toBe(true);
    await until(() => heard.includes("after"), "the link works again");
    await link.call("/rosapi/get_time", {}, 1000);
    expect(heard).toEqual(["before", "after"]);
  });

  it("subscribes again after a loss, once", async () => {
    const { server, link, proxy } = await start();
    const arrived: unknown[] = [];
    const changes: boolean[] = [];
    link.onChange(({ isUp }) => changes.push(isUp));
    link.subscribe("/out", messageTypes.string, (message) => arrived.push(message));
    await link.open();
    for (let round = 0; round < 2; round++) {
      proxy.cut();
      await until(() => !link.isUp, "down");
      proxy.restore();
      await until(() => link.isUp && server.listeners("/out") === 1, "up and subscribed");
    }
    server.publish("/out", { data: "x" });
    await until(() => arrived.length > 0, "the message arrived");
    await link.call("/rosapi/get_time", {}, 1000);
    expect(arrived).toHaveLength(1);
    expect(changes).toEqual([true, false, true, false, true]);
  });

  it("notices a peer that fell silent without closing", async () => {
    const { link, proxy, lines } = await start();
    await link.open();
    proxy.swallow("up", "down");
    await until(
      () => lines.some((line) => /lost: the server was silent for \d+ ms/.test(line)),
      "the silence was noticed",
    );
    expect(link.isUp).toBe(false);
    proxy.cut();
    proxy.restore();
    await until(() => link.isUp, "up again");
  });

  it("hands nothing to a congested socket", async () => {
    const { link, proxy } = await start({ maxBufferedBytes: 1000, silenceMs: 60_000 });
    await link.open();
    proxy.stall("up");
    const big = "x".repeat(1_000_000);
    let sent = 0;
    while (say(link, big) && sent < 200) sent += 1;
    expect(sent).toBeLessThan(200);
    expect(say(link, "small")).toBe(false);
  });

  it("keeps trying while the server is away, and closes at any time", async () => {
    const { server, link, lines } = await start();
    await link.open();
    await server.close();
    await until(() => lines.filter((line) => /cut while it was made|nothing listens/.test(line)).length > 1, "retries");
    await link.close();
    expect(link.isUp).toBe(false);
    await expect(link.call("/rosapi/get_time", {}, 100)).rejects.toThrow("the link to the robot is down");
  });

  it("times out on a service that does not answer", async () => {
    const { server, link } = await start();
    server.provide("/slow", () => new Promise(() => undefined));
    await link.open();
    await expect(link.call("/slow", {}, 30)).rejects.toThrow("/slow: no answer within 30 ms");
  });

  describe("says in one sentence why it cannot connect", () => {
    const failure = async (url: string) => {
      const link = new RosLink({ url, name: "link", connectTimeoutMs: 200 });
      const error = await link.open().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(RobotError);
      return (error as Error).message;
    };

    it("when nothing listens", async () => {
      const { server, port } = await start();
      await server.close();
      expect(await failure(`ws://127.0.0.1:${port}`)).toContain("nothing listens there");
    });

    it("when the address is none", async () => {
      expect(await failure("not an address")).toContain('must be a websocket address like ws://host:9090, got "not an');
      expect(await failure("ftp://127.0.0.1")).toContain("must be a websocket address");
    });

    it("when another kind of server listens", async () => {
      const web = createServer((_request, response) => response.end("hello"));
      await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
      closing.push(() => web.close());
      expect(await failure(`ws://127.0.0.1:${(web.address() as AddressInfo).port}`)).toContain(
        "is not a rosbridge server",
      );
    });

    it("when the server never answers", async () => {
      const { proxy, url } = await start();
      proxy.stall("up");
      expect(await failure(url)).toContain("no answer");
    });

    it("when the token is missing, and shows no token that was given", async () => {
      const server = new RosbridgeServer({ port: 0, token: "0123456789abcdef" });
      const { url } = await server.listen();
      closing.push(() => server.close());
      const message = await failure(`${url}/?token=wrong-secret`);
      expect(message).toContain("the server asks for its token");
      expect(message).not.toContain("wrong-secret");
    });
  });
});
