import { once } from "node:events";
import { afterEach, describe, expect, it } from "@jest/globals";
import { WebSocket } from "ws";
import { systemClock } from "#core/clock.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { type Packable, packNumpy, unpackNumpy } from "#robot-bridge/policies/msgpack-numpy.ts";
import { numpyArray } from "#robot-bridge/policies/numpy.ts";
import { OpenpiPolicy } from "#robot-bridge/policies/openpi-client.ts";
import { OpenpiServer, type OpenpiServerOptions } from "#robot-bridge/policies/openpi-server.ts";
import { planarDelta } from "#world/index.ts";
import { observationFor, policyContract } from "../../contracts/policy.contract.ts";
import { ScriptedPolicy } from "../../doubles/scripted-policy.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Answers the state's first two values, so that one sees what arrived. */
class EchoPolicy extends ScriptedPolicy {
  delayMs = 0;
  seen: unknown[] = [];

  constructor() {
    super({
      clock: systemClock,
      space: planarDelta,
      chunkLength: 2,
      rateHz: 10,
      latencyMs: () => this.delayMs,
      answer: (_, observation) => {
        this.seen.push(observation);
        const [a, b] = observation.state!;
        return [a!, b!, 0.25, -0.5];
      },
    });
    Object.assign(this.spec, { stateSize: 3, cameras: [{ name: "front", height: 4, width: 4 }] });
  }
}

async function serve(options: Partial<OpenpiServerOptions> = {}) {
  const policy = new EchoPolicy();
  const server = new OpenpiServer({ policy, port: 0, ...options });
  const { url } = await server.listen();
  return { policy, server, url };
}

policyContract("A policy behind openpi's protocol", async () => {
  const { policy, server, url } = await serve();
  const client = await OpenpiPolicy.open({ url });
  return {
    policy: client,
    slow: (durationMs) => {
      policy.delayMs = durationMs;
    },
    close: async () => {
      await client.close();
      await server.close();
    },
  };
});

/** A client that sends what it is told. */
async function join(url: string) {
  const socket = new WebSocket(url);
  closing.push(() => socket.terminate());
  const [metadata] = (await once(socket, "message")) as [Buffer];
  const ask = async (message: Packable) => {
    socket.send(packNumpy(message));
    const [data, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
    return isBinary ? unpackNumpy(data) : String(data);
  };
  return { socket, metadata: unpackNumpy(metadata), ask };
}

const observation = {
  "observation/image": numpyArray(new Uint8Array(3 * 4 * 4).fill(9), [3, 4, 4]),
  "observation/state": numpyArray(Float32Array.of(1.5, -2, 0), [3]),
  prompt: "do something",
};

describe("OpenpiServer", () => {
  const start = async (options: Partial<OpenpiServerOptions> = {}) => {
    const under = await serve(options);
    closing.push(() => under.server.close());
    return under;
  };

  it("says first what the policy is, then answers observations by openpi's names", async () => {
    const { policy, url } = await start({ metadata: { robot: "arm" } });
    const { metadata, ask } = await join(url);
    expect(metadata).toMatchObject({
      robot: "arm",
      armature: { policyId: "scripted", chunkLength: 2, rateHz: 10, space: { kind: "planar-delta" } },
    });
    const first = (await ask(observation)) as Record<string, Packable>;
    expect(first.actions).toEqual(numpyArray(Float32Array.of(1.5, -2, 0.25, -0.5), [2, 2]));
    expect(Object.keys(first.server_timing as object)).toEqual(["infer_ms"]);
    const second = (await ask(observation)) as Record<string, Packable>;
    expect(Object.keys(second.server_timing as object)).toEqual(["infer_ms", "prev_total_ms"]);
    expect(policy.seen[0]).toMatchObject({ instruction: "do something", images: { front: { height: 4, width: 4 } } });
  });

  it.each<[string, Packable, string]>([
    ["without its picture", { prompt: "x" }, 'must have an array "observation/image", got prompt'],
    ["without a prompt", { ...observation, prompt: 5 }, 'must have a text "prompt"'],
    [
      "with a state of another size",
      { ...observation, "observation/state": numpyArray(Float32Array.of(1), [1]) },
      "3 values, got 1",
    ],
    ["that is no map", "hello", "must be a map"],
  ])("answers an observation %s with a sentence and closes", async (_, message, problem) => {
    const { url } = await start();
    const { socket, ask } = await join(url);
    const closed = once(socket, "close");
    expect(await ask(message)).toContain(problem);
    expect((await closed)[0]).toBe(1011);
  });

  it("answers a policy's own failure so, without its stack", async () => {
    const { policy, url } = await start();
    policy.infer = async () => {
      throw new Error("out of memory");
    };
    const { ask } = await join(url);
    expect(await ask(observation)).toBe("Error: out of memory");
  });

  it("lets several clients wait for each other, never two in the policy at once", async () => {
    const { policy, url } = await start();
    policy.delayMs = 30;
    const clients = await Promise.all([join(url), join(url), join(url)]);
    const answers = await Promise.all(clients.map(({ ask }) => ask(observation)));
    expect(answers.every((answer) => typeof answer === "object")).toBe(true);
    expect(policy.mostOpen).toBe(1);
  });

  it("refuses a second question before the first answer: there are no ids", async () => {
    const { policy, url } = await start();
    policy.delayMs = 50;
    const { socket } = await join(url);
    const closed = once(socket, "close");
    socket.send(packNumpy(observation));
    socket.send(packNumpy(observation));
    expect((await closed)[0]).toBe(1011);
  });

  it("is healthy, and asks for its token", async () => {
    const { url } = await start({ token: "0123456789abcdef" });
    const health = await fetch(`${url.replace("ws:", "http:")}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, "OK\n"]);
    await expect(OpenpiPolicy.open({ url, token: "wrong" })).rejects.toThrow("cannot be reached");
    const client = await OpenpiPolicy.open({ url, token: "0123456789abcdef" });
    await client.close();
    expect(() => new OpenpiServer({ policy: new EchoPolicy(), port: 0, host: "0.0.0.0" })).toThrow(ConfigError);
  });
});

describe("OpenpiPolicy", () => {
  it("connects again for the next question after its server was restarted", async () => {
    const first = await serve();
    const client = await OpenpiPolicy.open({ url: first.url });
    closing.push(() => client.close());
    await client.infer(observationFor(client));
    const port = Number(new URL(first.url).port);
    await first.server.close();
    await expect(client.infer(observationFor(client))).rejects.toThrow(UserError);
    const second = await serve({ port });
    closing.push(() => second.server.close());
    expect((await client.infer(observationFor(client, 9n))).stampNs).toBe(9n);
  });

  it("says what went wrong there, and refuses answers of another shape", async () => {
    const { policy, server, url } = await serve();
    closing.push(() => server.close());
    const client = await OpenpiPolicy.open({ url });
    closing.push(() => client.close());
    policy.change = (chunk) => ({ ...chunk, space: { ...chunk.space, names: ["only"] }, length: 4 });
    await expect(client.infer(observationFor(client))).rejects.toThrow("actions must be [L, 2], got [4, 1]");
    policy.infer = async () => {
      throw new Error("out of memory");
    };
    await expect(client.infer(observationFor(client))).rejects.toThrow("the policy failed: Error: out of memory");
  });

  it("wants to know what a foreign server's actions mean", async () => {
    const { WebSocketServer } = await import("ws");
    const foreign = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    foreign.on("connection", (socket) => socket.send(packNumpy({})));
    await once(foreign, "listening");
    closing.push(() => foreign.close());
    const url = `ws://127.0.0.1:${(foreign.address() as { port: number }).port}`;
    await expect(OpenpiPolicy.open({ url })).rejects.toThrow("does not say what its actions mean");
    await expect(OpenpiPolicy.open({ url: "nowhere" })).rejects.toThrow("must be an address like ws://host:8000");
  });
});
