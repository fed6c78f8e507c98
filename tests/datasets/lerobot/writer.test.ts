import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { ConfigError, ShapeError, UserError } from "#core/errors.ts";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { openParquet } from "#datasets/parquet.ts";
import { runningFfmpegs, temporaryFolder } from "../make-video.ts";
import { camera, episodes, features, frameOf, greyOf, writeSet } from "./make-set.ts";

const folder = temporaryFolder();
const set = join(folder, "set");
const json = (name: string) => JSON.parse(readFileSync(join(set, name), "utf8"));
const lines = (name: string) =>
  readFileSync(join(set, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  await writeSet(set, { metadata: { renderer: "raster-1", fps: 99 } });
});

describe("what createLeRobotWriter writes", () => {
  it("is read back: numbers, tasks, true times and pictures", async () => {
    const reader = await openLeRobot(set);
    expect(reader.info).toMatchObject({
      format: "lerobot-v2.1",
      fps: 10,
      robotType: "pusher",
      episodes: 3,
      frames: 14,
    });
    expect(reader.info.metadata).toEqual({ splits: { train: "0:3" }, renderer: "raster-1" });
    for (const [index, { task, times }] of episodes.entries()) {
      const episode = await reader.episode(index);
      expect([episode.length, episode.tasks]).toEqual([times.length, [task]]);
      expect(episode.timestampsS).toBeAllClose(times, { absolute: 1e-7, relative: 1e-7 });
      const expected = times.map((_, frame) => frameOf(index, frame).values);
      for (const name of ["observation.state", "action", "next.done"] as const) {
        expect(episode.columns[name]).toEqual(Float32Array.from(expected.flatMap((values) => [...values[name]])));
      }
      const seen: number[][] = [];
      for await (const { data, timestampS } of reader.frames(index, camera)) seen.push([timestampS, data[500]!]);
      expect(seen.map(([time]) => time!)).toBeAllClose(times, { absolute: 1e-5, relative: 0 });
      expect(seen.map(([, grey]) => grey!)).toBeAllClose(
        times.map((_, frame) => greyOf(index, frame)),
        { absolute: 2, relative: 0 },
      );
    }
  });

  it("has the automatic columns, with one running index over all episodes", async () => {
    const { columns } = await (await openLeRobot(set)).episode(1);
    expect(columns.index).toEqual(BigInt64Array.of(5n, 6n, 7n, 8n, 9n, 10n));
    expect(columns.frame_index).toEqual(BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n));
    expect(columns.episode_index).toEqual(new BigInt64Array(6).fill(1n));
    expect(columns.task_index).toEqual(new BigInt64Array(6).fill(1n));
  });

  it("has the metadata files of version 2.1", () => {
    expect(json("meta/info.json")).toMatchObject({
      ...{ codebase_version: "v2.1", robot_type: "pusher", total_episodes: 3, total_frames: 14, total_tasks: 2 },
      ...{
        total_videos: 3,
        total_chunks: 1,
        chunks_size: 1000,
        fps: 10,
        splits: { train: "0:3" },
        renderer: "raster-1",
      },
      data_path: "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
      video_path: "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    });
    expect(json("meta/info.json").features[camera].info).toMatchObject({
      "video.codec": "h264",
      "video.fps": 10,
      has_audio: false,
    });
    expect(lines("meta/tasks.jsonl")).toEqual([
      { task_index: 0, task: "push the red block" },
      { task_index: 1, task: "push the blue block" },
    ]);
    expect(lines("meta/episodes.jsonl")[1]).toEqual({ episode_index: 1, tasks: ["push the blue block"], length: 6 });
    expect(existsSync(join(set, `videos/chunk-000/${camera}/episode_000002.mp4`))).toBe(true);
    expect(readdirSync(set).sort()).toEqual(["data", "meta", "videos"]);
  });

  it("has the statistics of every episode, pictures in [0, 1] per channel", () => {
    const { stats } = lines("meta/episodes_stats.jsonl")[0];
    expect(stats.action.mean).toBeAllClose([0.5, -0.5, 0], { absolute: 1e-12, relative: 0 });
    expect(stats.action.std).toBeAllClose([0.25 * Math.SQRT2, 0, 0], { absolute: 1e-12, relative: 0 });
    expect([stats.action.min, stats.action.max, stats.action.count]).toEqual([[0, -0.5, 0], [1, -0.5, 0], [5]]);
    expect([stats["next.done"].min, stats["next.done"].max]).toEqual([[false], [true]]);
    expect(stats.frame_index).toEqual({ min: [0], max: [4], mean: [2], std: [Math.SQRT2], count: [5] });
    expect(stats[camera].min).toEqual(Array(3).fill([[20 / 255]]));
    expect(stats[camera].max).toEqual(Array(3).fill([[52 / 255]]));
    expect(stats[camera].mean.flat(2)).toBeAllClose(Array(3).fill(36 / 255), { absolute: 1e-12, relative: 0 });
    expect(stats[camera].std.flat(2)).toBeAllClose(Array(3).fill((8 * Math.SQRT2) / 255), {
      absolute: 1e-9,
      relative: 0,
    });
    expect(stats[camera].count).toEqual([5]);
  });

  it("tells Python the types of its columns", async () => {
    const file = await openParquet(join(set, "data/chunk-000/episode_000000.parquet"));
    const described = JSON.parse(file.keyValues.get("huggingface")!).info.features;
    await file.close();
    expect(described.action).toEqual({ feature: { dtype: "float32", _type: "Value" }, length: 3, _type: "Sequence" });
    expect(described.index).toEqual({ dtype: "int64", _type: "Value" });
    expect(described["next.done"]).toEqual({ dtype: "bool", _type: "Value" });
    expect(described[camera]).toBeUndefined();
  });
});

describe("createLeRobotWriter", () => {
  const open = (name: string, extra = {}) =>
    createLeRobotWriter(join(folder, name), { fps: 10, robotType: "pusher", features, ...extra });

  it("shows nothing before it is finished, and leaves nothing when it is given up", async () => {
    const writer = await open("given-up");
    await writer.startEpisode("task");
    await writer.addFrame(frameOf(0, 0));
    expect(existsSync(join(folder, "given-up"))).toBe(false);
    await writer.abort();
    expect(readdirSync(folder)).toEqual(["set"]);
    expect(runningFfmpegs()).toBe(0);
  });

  it("leaves out an episode that is dropped", async () => {
    const writer = await open("dropped");
    for (const [episode, keep] of [
      [0, true],
      [1, false],
      [2, true],
    ] as const) {
      await writer.startEpisode(`task ${episode}`);
      for (let frame = 0; frame < 3; frame++) await writer.addFrame(frameOf(episode, frame));
      await (keep ? writer.endEpisode() : writer.dropEpisode());
    }
    await writer.finish();
    const reader = await openLeRobot(join(folder, "dropped"));
    expect(reader.episodes.map(({ index, tasks }) => [index, ...tasks])).toEqual([
      [0, "task 0"],
      [1, "task 2"],
    ]);
    expect((await reader.episode(1)).columns.index).toEqual(BigInt64Array.of(3n, 4n, 5n));
  });

  it("refuses frames that do not fit, without spoiling the episode", async () => {
    const writer = await open("strict");
    await writer.startEpisode("task");
    const good = frameOf(0, 0);
    const wrong: [string, object][] = [
      ['"action" must have 3 values, got 2', { values: { ...good.values, action: new Float32Array(2) } }],
      [
        '"action" must have 3 values, got none',
        { values: { "observation.state": new Float32Array(2), "next.done": new Float32Array(1) } },
      ],
      [`camera "${camera}" must get u8[24, 32, 3], got none`, { images: {} }],
      [
        "must get u8[24, 32, 3], got u8[32, 24, 3]",
        { images: { [camera]: { data: new Uint8Array(24 * 32 * 3), height: 32, width: 24 } } },
      ],
      ["timestamp must be above 0 s, got -1 s", { timestampS: -1 }],
      ["timestamp must be above 0 s, got NaN s", { timestampS: Number.NaN }],
    ];
    for (const [message, change] of wrong) {
      const adding = writer.addFrame({ ...good, ...change });
      await expect(adding).rejects.toThrow(ShapeError);
      await expect(adding).rejects.toThrow(message);
    }
    await writer.addFrame(good);
    await expect(writer.addFrame(good)).rejects.toThrow("frame 1: timestamp must be above 0 s, got 0 s");
    await writer.endEpisode();
    await writer.finish();
    expect((await (await openLeRobot(join(folder, "strict"))).episode(0)).length).toBe(1);
  });

  it("refuses features that cannot be stored and a place that is taken", async () => {
    await expect(open("x", { features: { timestamp: features.action } })).rejects.toThrow(ConfigError);
    await expect(open("x", { features: { grey: { dtype: "image", shape: [2, 2, 1], names: null } } })).rejects.toThrow(
      'feature "grey" must have shape [height, width, 3], got [2,2,1]',
    );
    await expect(open("x", { features: { grey: { dtype: "video", shape: [2, 2, 1], names: null } } })).rejects.toThrow(
      "[height, width, 3]",
    );
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "taken/mine.txt"), "");
    await expect(open("taken")).rejects.toThrow("must be a new or empty folder, but holds 1 entries");
    expect(existsSync(join(folder, "taken/mine.txt"))).toBe(true);
  });

  it("refuses an empty episode and an empty set", async () => {
    const writer = await open("empty");
    await expect(writer.finish()).rejects.toThrow("a data set must have at least one episode");
    await writer.startEpisode("task");
    await expect(writer.endEpisode()).rejects.toThrow(UserError);
    await writer.abort();
    expect(existsSync(join(folder, "empty"))).toBe(false);
  });
});
