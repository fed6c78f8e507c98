import { beforeEach, describe, expect, it } from "@jest/globals";
import { splitIntoFragments } from "#robot-bridge/protocol/fragments.ts";
import { encodeCompressedImage, encodeJointState, messageTypes } from "#robot-bridge/protocol/messages.ts";
import { encodeTaskStatus } from "#robot-bridge/protocol/task.ts";
import { connectFeed, type FeedEvents, type SocketEvents } from "#sim-viewer/src/live/robot-feed.ts";

/** A socket that the test speaks through, and the page's time in its hands. */
class Bench {
  readonly sockets: { events: SocketEvents; sent: Record<string, unknown>[]; isClosed: boolean }[] = [];
  readonly heard: [keyof FeedEvents, ...unknown[]][] = [];
  private timers: { atMs: number; act: () => void }[] = [];
  private nowMs = 0;
  readonly feed = connectFeed({
    url: "ws://robot",
    events: Object.fromEntries(
      ["link", "joints", "command", "picture", "instruction", "task", "estop", "description", "problem"].map((name) => [
        name,
        (...values: unknown[]) => this.heard.push([name as keyof FeedEvents, ...values]),
      ]),
    ) as unknown as FeedEvents,
    openSocket: (_url, events) => {
      const socket = { events, sent: [] as Record<string, unknown>[], isClosed: false };
      this.sockets.push(socket);
      return {
        send: (text) => void socket.sent.push(JSON.parse(text)),
        close: () => {
          socket.isClosed = true;
        },
      };
    },
    time: {
      nowMs: () => this.nowMs,
      after: (durationMs, act) => {
        const timer = { atMs: this.nowMs + durationMs, act };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((other) => other !== timer);
        };
      },
    },
  });

  get socket() {
    return this.sockets.at(-1)!;
  }
  pass(durationMs: number): void {
    this.nowMs += durationMs;
    const due = this.timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.timers = this.timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { act } of due) act();
  }
  say(message: unknown): void {
    this.socket.events.received(JSON.stringify(message));
  }
  publish(topic: string, msg: unknown): void {
    this.say({ op: "publish", topic, msg });
  }
  listTopics(...entries: [topic: string, type: string][]): void {
    const values = { topics: entries.map(([topic]) => topic), types: entries.map(([, type]) => type) };
    this.say({ op: "service_response", id: "topics", service: "/rosapi/topics", values, result: true });
  }
  subscribed(): unknown[] {
    return this.socket.sent.filter(({ op }) => op === "subscribe").map(({ topic }) => topic);
  }
  of(event: keyof FeedEvents): unknown[][] {
    return this.heard.filter(([name]) => name === event).map(([, ...values]) => values);
  }
}

const state = (x: number) =>
  encodeJointState({
    ...{ stampNs: 5n, frameId: "", names: ["a"], positions: Float64Array.of(x) },
    ...{ velocities: new Float64Array(), efforts: new Float64Array() },
  });

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("connectFeed", () => {
  it("only ever subscribes and asks for the list of topics", () => {
    bench.socket.events.opened();
    bench.listTopics(["/joint_states", messageTypes.jointState], ["/cam/compressed", "sensor_msgs/CompressedImage"]);
    bench.pass(20_000);
    expect(new Set(bench.socket.sent.map(({ op }) => op))).toEqual(new Set(["subscribe", "call_service"]));
    expect(bench.socket.sent.filter(({ op }) => op === "call_service").map(({ service }) => service)[0]).toBe(
      "/rosapi/topics",
    );
  });

  it("listens to the usual names at once and to further topics of the types it knows", () => {
    bench.socket.events.opened();
    expect(bench.subscribed()).toContain("/joint_states");
    bench.listTopics(
      ["/left/joint_states", "sensor_msgs/msg/JointState"],
      ["/cam/compressed", "sensor_msgs/CompressedImage"],
      ["/scan", "sensor_msgs/msg/LaserScan"],
      ["/joint_states", "sensor_msgs/msg/JointState"],
    );
    const topics = bench.subscribed();
    expect(topics).toEqual(expect.arrayContaining(["/left/joint_states", "/cam/compressed"]));
    expect(topics).not.toContain("/scan");
    expect(new Set(topics).size).toBe(topics.length);
  });

  it("asks for the newest picture alone and for no more than eight cameras", () => {
    bench.socket.events.opened();
    bench.listTopics(
      ...Array.from({ length: 12 }, (_, camera) => [`/cam${camera}`, messageTypes.compressedImage] as [string, string]),
    );
    const pictures = bench.socket.sent.filter(({ type }) => type === messageTypes.compressedImage);
    expect(pictures).toHaveLength(8);
    expect(pictures[0]).toMatchObject({ queue_length: 1, throttle_rate: 50 });
  });

  it("tells what it hears, decoded", () => {
    bench.socket.events.opened();
    bench.listTopics(["/cam", messageTypes.compressedImage]);
    bench.publish("/joint_states", state(0.5));
    const image = { stampNs: 1n, frameId: "front", format: "png", data: Uint8Array.of(1, 2, 3) };
    bench.publish("/cam", encodeCompressedImage(image));
    bench.publish(
      "/task/status",
      encodeTaskStatus({ episode: 2, instruction: "go", elapsedS: 1, done: false, success: false }),
    );
    bench.publish("/estop", { data: true });
    bench.publish("/robot_description", { data: `<robot>${" ".repeat(100_000)}</robot>` });
    expect(bench.of("joints")[0]![1]).toMatchObject({ names: ["a"], positions: Float64Array.of(0.5) });
    expect(bench.of("picture")).toEqual([["/cam", image]]);
    expect(bench.of("task")[0]![0]).toMatchObject({ episode: 2, instruction: "go" });
    expect(bench.of("estop")).toEqual([[true]]);
    expect((bench.of("description")[0]![0] as string).length).toBe(100_015);
    expect(bench.of("problem")).toEqual([]);
  });

  it("puts fragments together", () => {
    bench.socket.events.opened();
    const text = JSON.stringify({ op: "publish", topic: "/joint_states", msg: state(0.25) });
    for (const fragment of splitIntoFragments(text, "7", 40)) bench.say(fragment);
    expect(bench.of("joints")[0]![1]).toMatchObject({ positions: Float64Array.of(0.25) });
  });

  it("says once what it does not understand, and goes on", () => {
    bench.socket.events.opened();
    for (let time = 0; time < 3; time++) bench.publish("/joint_states", { name: "none" });
    bench.socket.events.received("{");
    bench.publish("/never/asked/for", { data: 1 });
    bench.publish("/joint_states", state(1));
    expect(bench.of("problem").map(([sentence]) => (sentence as string).split(":")[0])).toEqual([
      "JointState",
      "rosbridge message",
    ]);
    expect(bench.of("joints")).toHaveLength(1);
  });

  it("tries again after 0.5, 1, 2 and then every 5 seconds, and listens to everything anew", () => {
    bench.socket.events.closed();
    for (const [waitMs, sockets] of [
      [499, 1],
      [1, 2],
    ] as const) {
      bench.pass(waitMs);
      expect(bench.sockets).toHaveLength(sockets);
    }
    for (const waitMs of [1000, 2000, 5000, 5000]) {
      const before = bench.sockets.length;
      bench.socket.events.closed();
      bench.pass(waitMs - 1);
      expect(bench.sockets).toHaveLength(before);
      bench.pass(1);
      expect(bench.sockets).toHaveLength(before + 1);
    }
    bench.socket.events.opened();
    expect(bench.subscribed()).toContain("/joint_states");
    bench.socket.events.closed();
    bench.pass(500);
    expect(
      bench
        .of("link")
        .map(([link]) => link)
        .slice(-4),
    ).toEqual(["connecting", "open", "lost", "connecting"]);
  });

  it("is silent once it is closed", () => {
    bench.socket.events.closed();
    bench.feed.close();
    bench.pass(60_000);
    expect(bench.sockets).toHaveLength(1);
    expect(bench.socket.isClosed).toBe(true);
  });
});
