import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import sqlite from "node-sqlite3-wasm";
import { FormatError, UserError } from "#core/errors.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { openBagSet } from "#datasets/rosbag/episodes.ts";
import { numbersOf, pictureOf } from "#datasets/rosbag/fields.ts";
import { sharedData } from "../judge.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();

/** std_msgs/msg/Float32 in little-endian CDR. */
function cdrFloat(value: number): Buffer {
  const bytes = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]);
  bytes.writeFloatLE(value, 4);
  return bytes;
}

type Message = readonly [topic: number, stampMs: number, value: number];

function record(name: string, messages: readonly Message[]): string {
  const path = join(folder, name);
  const database = new sqlite.Database(path);
  database.exec("CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)");
  database.exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)");
  database.run("INSERT INTO topics VALUES (1, '/state', 'std_msgs/msg/Float32', 'cdr')");
  database.run("INSERT INTO topics VALUES (2, '/arm/command', 'std_msgs/msg/Float32', 'cdr')");
  for (const [index, [topic, stampMs, value]] of messages.entries()) {
    const stampNs = 1_700_000_000_000_000_000n + BigInt(stampMs) * 1_000_000n;
    database.run("INSERT INTO messages VALUES (?, ?, ?, ?)", [index + 1, topic, stampNs, cdrFloat(value)]);
  }
  database.close();
  return path;
}

describe("openBagSet", () => {
  // The state comes every 100 ms, commands between them; at 100 ms none has come yet.
  const messages: Message[] = [
    [1, 100, 1],
    [2, 150, -1],
    [1, 200, 2],
    [1, 300, 3],
    [2, 350, -2],
    [2, 390, -3],
    [1, 400, 4],
  ];

  it("takes rows from the clock and of every other topic the newest value, from where all have begun", async () => {
    const reader = await openBagSet(record("two.db3", messages), { clock: "/state", task: "push" });
    expect(reader.info).toMatchObject({ format: "rosbag2-sqlite3", episodes: 1, fps: 10 });
    expect(Object.keys(reader.info.features).sort()).toEqual(["action", "state"]);
    const episode = await reader.episode(0);
    expect([episode.length, episode.tasks]).toEqual([3, ["push"]]);
    expect(episode.timestampsS).toBeAllClose([0, 0.1, 0.2], { absolute: 1e-9, relative: 0 });
    expect([...(episode.columns.state as Float64Array)]).toEqual([2, 3, 4]);
    expect([...(episode.columns.action as Float64Array)]).toEqual([-1, -1, -3]);
    await expect(reader.episode(1)).rejects.toThrow(UserError);
  });

  it("takes what is named, under the names that are given, and refuses what is not there", async () => {
    const path = record("named.db3", messages);
    const reader = await openDataset(path, { topics: { "observation.state": "/state.data" } });
    expect((await reader.episode(0)).columns["observation.state"]).toEqual(Float64Array.of(1, 2, 3, 4));
    await expect(openBagSet(path, { topics: { a: "/none" } })).rejects.toThrow('has no topic "/none"');
    await expect(openBagSet(path, { topics: { a: "/state.nothing" } })).rejects.toThrow("must hold numbers");
    await expect(openBagSet(path, { clock: "/tf" })).rejects.toThrow('the clock "/tf" must be the topic of a feature');
  });

  (existsSync(sharedData) ? it : it.skip)(
    "reads real recordings of ROS 1 and ROS 2 (needs ../shared/data)",
    async () => {
      const bag = join(sharedData, "conformance/rosbag1/fake_joint_state.bag");
      const joints = await openDataset(bag);
      expect(joints.info.features["observation.state"]).toMatchObject({ shape: [6] });
      const { length, columns } = await joints.episode(0);
      expect(length).toBe(2725);
      expect((columns["observation.state"] as Float64Array)[0]).toBeCloseTo(1.0875209655575857, 12);
      const poses = await openBagSet(join(sharedData, "conformance/rosbag2/plotjuggler_rosbag2_test_0.db3"), {
        topics: { pose: "/pose.pose", voltage: "/battery.voltage" },
      });
      const first = await poses.episode(0);
      expect((first.columns.pose as Float64Array).subarray(1, 7)).toEqual(Float64Array.of(2, 3, 5, 6, 7, 8));
      expect(poses.info.features.voltage!.shape).toEqual([1]);
    },
  );
});

describe("what a message holds", () => {
  it("is its numbers with names, without header and covariances, and joints by name", () => {
    const twist = { header: { stamp: { sec: 7 } }, linear: { x: 1, y: 2 }, covariance: [9, 9], linear_covariance: [9] };
    expect(numbersOf("geometry_msgs/msg/Twist", twist, "")).toEqual([
      { name: "linear.x", value: 1 },
      { name: "linear.y", value: 2 },
    ]);
    const joints = { name: ["a", "b"], position: Float64Array.of(0.5, 1), velocity: Float64Array.of(3, 4) };
    expect(numbersOf("sensor_msgs/msg/JointState", joints, "")).toEqual([
      { name: "a", value: 0.5 },
      { name: "b", value: 1 },
    ]);
    expect(numbersOf("sensor_msgs/msg/JointState", joints, "velocity")[1]).toEqual({ name: "b", value: 4 });
  });

  it("is a picture, with blue first and padded rows put right, or refused", () => {
    const message = { height: 2, width: 1, step: 4, encoding: "bgr8", data: Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 0) };
    expect(pictureOf("x.bag", "/camera", message)).toEqual({
      data: Uint8Array.of(3, 2, 1, 6, 5, 4),
      height: 2,
      width: 1,
    });
    expect(() => pictureOf("x.bag", "/depth", { ...message, encoding: "16UC1" })).toThrow(FormatError);
    expect(() => pictureOf("x.bag", "/camera", { ...message, data: new Uint8Array(3) })).toThrow(FormatError);
  });
});
