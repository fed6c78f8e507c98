/** @file The reader's contract on formats that only others write; what they write is made here as they do. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ros2humble } from "@foxglove/rosmsg-msgs-common";
import { MessageWriter } from "@foxglove/rosmsg2-serialization";
import sqlite from "node-sqlite3-wasm";
import { encodePng } from "#core/image/png.ts";
import { createHdf5File } from "#datasets/hdf5/hdf5-file.ts";
import { openHdf5 } from "#datasets/hdf5/reader.ts";
import { lapaCamera, openLapa } from "#datasets/lapa/reader.ts";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { openBagSet } from "#datasets/rosbag/episodes.ts";
import { createVideoWriter } from "#datasets/video/encode.ts";
import { openVideoFolder, videoFolderCamera } from "#datasets/video-folder-reader.ts";
import { contractCamera, readerContract, type Sample } from "../contracts/dataset.contract.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
let count = 0;
const fresh = (): string => {
  const path = join(folder, `set-${count++}`);
  mkdirSync(path);
  return path;
};
const pixelsOf = (sample: Sample, episode: number) =>
  Buffer.concat(sample.episodes[episode]!.frames.map(({ images }) => images[contractCamera]!.data));
const rowsOf = (sample: Sample, episode: number, name: string) =>
  Float32Array.from(sample.episodes[episode]!.frames.flatMap(({ values }) => [...values[name]!]));

/** Version 2.0 has the statistics of the whole set in one file, and none of each episode. */
async function makeLeRobot20(sample: Sample) {
  const path = join(fresh(), "set");
  const writer = await createLeRobotWriter(path, { version: "v2.1", ...sample, robotType: "pusher" });
  for (const { task, frames } of sample.episodes) {
    await writer.startEpisode(task);
    for (const frame of frames) await writer.addFrame(frame);
    await writer.endEpisode();
  }
  await writer.finish();
  const file = join(path, "meta/info.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), codebase_version: "v2.0" }));
  rmSync(join(path, "meta/episodes_stats.jsonl"));
  writeFileSync(join(path, "meta/stats.json"), JSON.stringify({ action: { mean: [0, 0] } }));
  return openLeRobot(path);
}

/** One file an episode, pictures as bytes, neither times nor tasks. */
async function makeAloha(sample: Sample) {
  const path = fresh();
  for (const [episode, { frames }] of sample.episodes.entries()) {
    const file = await createHdf5File(join(path, `episode_${episode}.hdf5`));
    const length = frames.length;
    const observations = file.create_group("observations");
    const state = rowsOf(sample, episode, "observation.state");
    observations.create_dataset({ name: "qpos", data: state, shape: [length, 3] });
    const images = observations.create_group("images");
    const pixels = new Uint8Array(pixelsOf(sample, episode));
    images.create_dataset({ name: "front", data: pixels, shape: [length, 16, 24, 3], dtype: "<B" });
    file.create_dataset({ name: "action", data: rowsOf(sample, episode, "action"), shape: [length, 2] });
    file.close();
  }
  return openHdf5(path, { fps: sample.fps });
}

const messageWriter = (topicType: string) => {
  const type = topicType.replace("/msg", "") as keyof typeof ros2humble;
  const all = Object.values(ros2humble).filter(({ name }) => name !== type);
  return new MessageWriter([{ ...ros2humble[type], name: undefined } as never, ...all]);
};

/** A ROS 2 recording an episode: JointState, a command and a raw picture at every step. */
async function makeBags(sample: Sample) {
  const path = fresh();
  const topics = [
    ["/joints", "sensor_msgs/msg/JointState"],
    ["/arm/command", "std_msgs/msg/Float64MultiArray"],
    ["/camera", "sensor_msgs/msg/Image"],
  ] as const;
  const writers = topics.map(([, type]) => messageWriter(type));
  for (const [episode, { frames }] of sample.episodes.entries()) {
    const database = new sqlite.Database(join(path, `recording_${episode}.db3`));
    database.exec("CREATE TABLE topics (id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT)");
    database.exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)");
    for (const [index, [name, type]] of topics.entries())
      database.run("INSERT INTO topics VALUES (?, ?, ?, 'cdr')", [index + 1, name, type]);
    let id = 0;
    for (const { timestampS, values, images } of frames) {
      const stampNs = 1_700_000_000_000_000_000n + BigInt(Math.round(timestampS * 1e9));
      const { data, height, width } = images[contractCamera]!;
      const state = values["observation.state"]!;
      const messages = [
        { name: ["x", "y", "z"], position: [...state], velocity: [], effort: [] },
        { layout: { dim: [], data_offset: 0 }, data: [...values.action!] },
        { height, width, encoding: "rgb8", is_bigendian: 0, step: 3 * width, data },
      ];
      for (const [index, message] of messages.entries()) {
        const bytes = writers[index]!.writeMessage(message);
        database.run("INSERT INTO messages VALUES (?, ?, ?, ?)", [++id, index + 1, stampNs, bytes]);
      }
    }
    database.close();
  }
  return openBagSet(path, {
    clock: "/joints",
    topics: { "observation.state": "/joints", action: "/arm/command", [contractCamera]: "/camera" },
  });
}

async function makeVideoFolder(sample: Sample) {
  const path = fresh();
  for (const [episode, { task, frames }] of sample.episodes.entries()) {
    const file = join(path, `clip-${episode}.mp4`);
    const writer = await createVideoWriter(file, { height: 16, width: 24, fps: sample.fps });
    for (const { timestampS, images } of frames) await writer.write(images[contractCamera]!.data, timestampS);
    await writer.close();
    writeFileSync(join(path, `clip-${episode}.txt`), `${task}\n`);
  }
  return openVideoFolder(path);
}

/** The list that LAPA's finetune_preprocess.py takes. */
async function makeLapa(sample: Sample) {
  const path = fresh();
  const rows = sample.episodes.flatMap(({ task, frames }, episode) => {
    mkdirSync(join(path, "images", String(episode)), { recursive: true });
    return frames.map(({ values, images }, frame) => {
      const image = `images/${episode}/img_${String(frame).padStart(5, "0")}.png`;
      writeFileSync(join(path, image), encodePng(images[contractCamera]!));
      const value = `<image>\nWhat action should the robot take to \`${task}\``;
      const states = { eef_pos: [...values["observation.state"]!] };
      const answer = { from: "gpt", raw_actions: Array.from(values.action!, String), states };
      return { id: `${episode}_${frame}`, image, conversations: [{ from: "human", value }, answer] };
    });
  });
  writeFileSync(join(path, "rows.json"), JSON.stringify(rows, null, 2));
  return openLapa(join(path, "rows.json"), { fps: sample.fps });
}

readerContract({
  ...{ name: "LAPA's list of conversations", make: makeLapa, pictureTolerance: 0 },
  ...{ lacks: ["times"], camera: lapaCamera },
});
readerContract({ name: "LeRobot v2.0", make: makeLeRobot20, pictureTolerance: 2 });
readerContract({ name: "ALOHA HDF5", make: makeAloha, pictureTolerance: 0, lacks: ["times", "tasks"] });
readerContract({ name: "ROS 2 bags", make: makeBags, pictureTolerance: 0, lacks: ["tasks"] });
readerContract({
  ...{ name: "a folder of videos", make: makeVideoFolder, pictureTolerance: 2 },
  ...{ lacks: ["numbers"], camera: videoFolderCamera },
});
