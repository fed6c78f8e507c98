import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import sqlite from "node-sqlite3-wasm";
import { FormatError } from "#core/errors.ts";
import { type BagMessage, openBag } from "#datasets/rosbag/bag.ts";
import { sharedData } from "../judge.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const conformance = join(sharedData, "conformance");
const whereDataIs = existsSync(conformance) ? describe : describe.skip;

async function read(path: string, topics?: readonly string[]): Promise<BagMessage[]> {
  const bag = await openBag(path);
  const seen: BagMessage[] = [];
  try {
    for await (const message of bag.messages(topics)) seen.push(message);
  } finally {
    await bag.close();
  }
  return seen;
}
const count = (messages: readonly BagMessage[]) => {
  const counts: Record<string, number> = {};
  for (const { topic } of messages) counts[topic] = (counts[topic] ?? 0) + 1;
  return counts;
};

whereDataIs("real recordings (need ../shared/data)", () => {
  it("of ROS 1 give their messages with typed arrays", async () => {
    const messages = await read(join(conformance, "rosbag1/fake_joint_state.bag"));
    expect(count(messages)).toEqual({ "/fake_joints_state": 2725 });
    expect(messages[0]).toMatchObject({ type: "sensor_msgs/msg/JointState", stampNs: 1486559106139796569n });
    const { name, position } = messages[0]!.message as { name: string[]; position: Float64Array };
    expect(name).toEqual(["joint_0", "joint_1", "joint_2", "joint_3", "joint_4", "joint_5"]);
    expect(position[0]).toBeCloseTo(1.0875209655575857, 15);
    expect(messages.every(({ stampNs }, index) => index === 0 || stampNs >= messages[index - 1]!.stampNs)).toBe(true);
  });

  it("of ROS 2 in sqlite3 are decoded by the usual definitions, also when left in write-ahead mode", async () => {
    const messages = await read(join(conformance, "rosbag2/plotjuggler_rosbag2_test_0.db3"), ["/pose", "/battery"]);
    expect(count(messages)).toEqual({ "/pose": 1565, "/battery": 1565 });
    // The values that rosbags (Python) reads.
    expect(messages.find(({ topic }) => topic === "/pose")).toMatchObject({
      stampNs: 1588512872785341595n,
      message: { pose: { position: { x: 0.17489867935642706, y: 2, z: 3 }, orientation: { x: 5, y: 6, z: 7, w: 8 } } },
    });
    const { message } = messages.find(({ topic }) => topic === "/battery")!;
    expect(message).toMatchObject({
      voltage: 0.9229990839958191,
      present: true,
      location: "noth_pole",
      serial_number: "666",
    });
    expect(message.cell_voltage).toEqual(Float32Array.of(5, 6, 7));
  });

  it("of ROS 2 are the same from sqlite3 and from MCAP", async () => {
    const [fromSqlite, fromMcap] = await Promise.all(
      ["db3", "mcap"].map((kind) => read(join(conformance, `rosbag2/wbag_0.${kind}`))),
    );
    expect(fromSqlite!.length).toBe(1246);
    const sorted = (messages: readonly BagMessage[]) =>
      messages.map(({ topic, stampNs, message }) => `${stampNs} ${topic} ${String(message.data)}`).sort();
    expect(sorted(fromMcap!)).toEqual(sorted(fromSqlite!));
  });

  it("leave out types that nobody knows, unless they are asked for", async () => {
    const path = join(conformance, "rosbag2/topics_and_services.db3");
    expect(count(await read(path))).toEqual({ "/parameter_events": 7 });
    await expect(read(path, ["/add_two_ints/_service_event"])).rejects.toThrow(
      "the type example_interfaces/srv/AddTwoInts_Event is not known",
    );
    await expect(read(path, ["/nowhere"])).rejects.toThrow('has no topic "/nowhere"');
  });

  it("are refused when they are cut", async () => {
    for (const name of ["rosbag1/fake_joint_state.bag", "rosbag2/wbag_0.mcap"]) {
      const bytes = readFileSync(join(conformance, name));
      const path = join(folder, name.replace("/", "-"));
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
      await expect(read(path)).rejects.toThrow(FormatError);
    }
  });
});

describe("openBag", () => {
  /** A recording with one std_msgs/msg/String in little-endian CDR. */
  function record(path: string): string {
    const database = new sqlite.Database(path);
    database.exec("CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)");
    database.exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)");
    database.run("INSERT INTO topics VALUES (1, '/chat', 'std_msgs/msg/String', 'cdr')");
    const data = Buffer.from([0, 1, 0, 0, 3, 0, 0, 0, 0x68, 0x69, 0]);
    database.run("INSERT INTO messages VALUES (1, 1, ?, ?)", [1_700_000_000_123_456_789n, data]);
    database.close();
    return path;
  }

  it("takes a file or the folder that holds it, with whole nanoseconds", async () => {
    const root = join(folder, "bag");
    mkdirSync(root);
    const path = record(join(root, "bag_0.db3"));
    for (const place of [path, root]) {
      expect(await read(place)).toEqual([
        { topic: "/chat", type: "std_msgs/msg/String", stampNs: 1_700_000_000_123_456_789n, message: { data: "hi" } },
      ]);
    }
  });

  it("refuses what is missing, something else, a database without topics and an empty folder", async () => {
    await expect(openBag(join(folder, "none.bag"))).rejects.toThrow("the recording is missing");
    writeFileSync(join(folder, "text.bag"), "no recording here");
    await expect(openBag(join(folder, "text.bag"))).rejects.toThrow("must be a ROS recording (.bag, .db3, .mcap)");
    const other = new sqlite.Database(join(folder, "other.db3"));
    other.exec("CREATE TABLE a (b)");
    other.close();
    await expect(openBag(join(folder, "other.db3"))).rejects.toThrow("must be a ROS 2 recording in sqlite3");
    mkdirSync(join(folder, "empty"));
    await expect(openBag(join(folder, "empty"))).rejects.toThrow("must hold one recording");
  });
});
