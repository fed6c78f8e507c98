import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Feature } from "#core/contracts/episode.ts";
import { ConfigError, UserError } from "#core/errors.ts";
import { exportDataset } from "#datasets/export/export-dataset.ts";
import { groupsOf } from "#datasets/export/roles.ts";
import { writeLatentLabels } from "#datasets/labels.ts";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { createMcapSet, openMcapSet } from "#datasets/mcap/episodes.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));

const names = ["x", "y", "z", "roll", "pitch", "yaw", "gripper"];
const picture = { dtype: "video", shape: [16, 24, 3], names: null } as const;
const features: Readonly<Record<string, Feature>> = {
  "observation.state": { dtype: "float32", shape: [7], names },
  action: { dtype: "float32", shape: [7], names },
  "observation.effort": { dtype: "float32", shape: [1], names: null },
  "observation.images.wrist": picture,
  "observation.images.front": picture,
};
const row = (frame: number, scale: number) => Float32Array.from({ length: 7 }, (_, index) => scale * (frame + index));
const grey = (level: number) => ({ data: new Uint8Array(16 * 24 * 3).fill(level), height: 16, width: 24 });

async function write(writer: Awaited<ReturnType<typeof createLeRobotWriter>>): Promise<void> {
  for (const task of ["push the red block", "Push the blue block"]) {
    await writer.startEpisode(task);
    for (let frame = 0; frame < 3; frame++) {
      await writer.addFrame({
        timestampS: frame / 10,
        values: {
          "observation.state": row(frame, 1),
          action: row(frame, -0.5),
          "observation.effort": [frame] as never,
        },
        images: { "observation.images.wrist": grey(200), "observation.images.front": grey(40 + frame) },
      });
    }
    await writer.endEpisode();
  }
  await writer.finish();
}

beforeAll(async () => {
  await write(await createLeRobotWriter(at("set"), { fps: 10, robotType: "arm", features }));
  await write(await createMcapSet(at("recordings"), { fps: 10, robotType: "arm", features }));
});

describe("exportDataset", () => {
  it("gives GR00T version 2.1 and its modalities, by the names of the dimensions", async () => {
    const { files } = await exportDataset(await openLeRobot(at("set")), at("groot"), { target: "gr00t" });
    expect(files).toEqual(["meta/modality.json", "gr00t_config.py"]);
    const set = await openLeRobot(at("groot"));
    expect(set.version).toBe("v2.1");
    expect(Object.keys(set.info.features)).not.toContain("observation.effort");
    expect(json(at("groot/meta/modality.json"))).toEqual({
      state: {
        single_arm: { original_key: "observation.state", start: 0, end: 6 },
        gripper: { original_key: "observation.state", start: 6, end: 7 },
      },
      action: {
        single_arm: { original_key: "action", start: 0, end: 6 },
        gripper: { original_key: "action", start: 6, end: 7 },
      },
      video: {
        front: { original_key: "observation.images.front" },
        wrist: { original_key: "observation.images.wrist" },
      },
      annotation: { "human.task_description": { original_key: "task_index" } },
    });
    for (const { original_key: key } of Object.values(json(at("groot/meta/modality.json")).video) as never[])
      expect(set.cameras).toContain(key);
  });

  it("gives openpi its own names, pictures without loss and exact statistics", async () => {
    await exportDataset(await openMcapSet(at("recordings")), at("pi"), { target: "openpi" });
    const set = await openLeRobot(at("pi"));
    const kept = Object.entries(set.info.features).map(([name, { dtype }]) => `${name} ${dtype}`);
    expect(kept.slice(0, 4).sort()).toEqual(["actions float32", "image image", "state float32", "wrist_image image"]);
    const levels: number[] = [];
    for await (const { data } of set.frames(0, "image")) levels.push(data[0]!);
    expect(levels).toEqual([40, 41, 42]);
    const { state, actions } = json(at("pi/assets/pi/norm_stats.json")).norm_stats;
    expect(state.mean).toBeAllClose([1, 2, 3, 4, 5, 6, 7]);
    expect(actions.std[0]).toBeCloseTo(0.5 * Math.sqrt(2 / 3), 6);
    expect(actions.q99[0]).toBeCloseTo(0, 6);
    expect(readFileSync(at("pi/openpi_config.py"), "utf8")).toContain('data["actions"][:, :7]');
  });

  it("gives OpenVLA RLDS where TFDS looks for it, under the keys of its configuration", async () => {
    const { notes } = await exportDataset(await openLeRobot(at("set")), at("My Set"), { target: "openvla" });
    expect(notes).toEqual([]);
    const reader = await openDataset(at("My Set/my_set/1.0.0"));
    expect(json(at("My Set/my_set/1.0.0/dataset_info.json")).name).toBe("my_set");
    expect(existsSync(at("My Set/my_set/1.0.0/my_set-train.tfrecord-00000-of-00001"))).toBe(true);
    expect(Object.keys(reader.info.features)).toEqual(
      expect.arrayContaining(["observation.images.image", "observation.images.wrist_image", "observation.state"]),
    );
    expect((await reader.episode(1)).tasks).toEqual(["Push the blue block"]);
    const config = readFileSync(at("My Set/openvla_config.py"), "utf8");
    expect(config).toContain('{"primary": "image", "secondary": None, "wrist": "wrist_image"}');
    expect(config).toContain("ActionEncoding.EEF_POS");
  });

  it("gives LAPA the list that its preprocessing reads, and lines of latent labels", async () => {
    await exportDataset(await openLeRobot(at("set")), at("lapa"), { target: "lapa" });
    const rows = json(at("lapa/finetune.json"));
    expect(rows).toHaveLength(6);
    expect(rows[4]).toEqual({
      id: "episode_000001_1",
      image: "images/episode_000001/000001.png",
      conversations: [
        { from: "human", value: "<image>\nWhat action should the robot take to `push the blue block`" },
        { from: "gpt", raw_actions: ["-0.5", "-1", "-1.5", "-2", "-2.5", "-3", "-3.5"] },
      ],
    });
    for (const { image } of rows) expect(existsSync(join(at("lapa"), image))).toBe(true);
    const again = await openDataset(at("lapa"));
    expect(again.info).toMatchObject({ format: "lapa", episodes: 2, frames: 6 });
    const { columns, tasks } = await again.episode(1);
    expect(tasks).toEqual(["push the blue block"]);
    expect([...(columns.action as Float32Array)]).toBeAllClose([0, 1, 2].flatMap((frame) => [...row(frame, -0.5)]));

    const labels = {
      ...{ quantizerHash: "q", codebookSize: 8, codesPerStep: 2, offsetS: 0.1, source: { path: "set", hash: "h" } },
      ...{ episodes: Int32Array.of(0, 1), first: Int32Array.of(0, 1), second: Int32Array.of(1, 2) },
      codes: Int32Array.of(1, 2, 3, 4),
    };
    writeLatentLabels(at("labels.parquet"), labels);
    const reader = await openLeRobot(at("set"));
    await exportDataset(reader, at("latent"), { target: "lapa", labels: at("labels.parquet") });
    const lines = readFileSync(at("latent/latent.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[1]).toMatchObject({ image: "images/episode_000001/000001.png", delta: ["3", "4"] });
    writeLatentLabels(at("other.parquet"), { ...labels, episodes: Int32Array.of(0, 2) });
    await expect(exportDataset(reader, at("no"), { target: "lapa", labels: at("other.parquet") })).rejects.toThrow(
      "must label this data set of 2 episodes",
    );
    expect(existsSync(at("no"))).toBe(false);
  });

  it("refuses a taken place, a set without actions, and actions that LAPA cannot read; nothing is left behind", async () => {
    const reader = await openLeRobot(at("set"));
    await expect(exportDataset(reader, at("set"), { target: "gr00t" })).rejects.toThrow(UserError);
    const without = (name: string) => {
      const { [name]: _, ...rest } = reader.info.features;
      return { ...reader, info: { ...reader.info, features: rest } };
    };
    await expect(exportDataset(without("action"), at("no"), { target: "openpi" })).rejects.toThrow(ConfigError);
    await expect(exportDataset(without("observation.state"), at("no"), { target: "gr00t" })).rejects.toThrow(
      ConfigError,
    );
    const short = { ...reader.info.features, action: { ...reader.info.features.action!, shape: [3] } };
    const other = { ...reader, info: { ...reader.info, features: short } };
    await expect(exportDataset(other, at("no"), { target: "lapa" })).rejects.toThrow("LAPA reads actions of 7 numbers");
    expect(existsSync(at("no"))).toBe(false);
  });
});

describe("groupsOf", () => {
  it("tells arms, hands and grippers apart, by side", () => {
    const groups = (labels: string[]) => groupsOf({ dtype: "float32", shape: [labels.length], names: labels });
    expect(groups(["left_joint_0", "left_joint_1", "left_gripper", "right_joint_0", "right_gripper"])).toEqual([
      { name: "left_arm", start: 0, end: 2 },
      { name: "left_gripper", start: 2, end: 3 },
      { name: "right_arm", start: 3, end: 4 },
      { name: "right_gripper", start: 4, end: 5 },
    ]);
    expect(groups(["x", "gripper", "y"])).toEqual([
      { name: "single_arm", start: 0, end: 1 },
      { name: "gripper", start: 1, end: 2 },
      { name: "single_arm_2", start: 2, end: 3 },
    ]);
    expect(groupsOf({ dtype: "float32", shape: [26], names: null })).toEqual([
      { name: "single_arm", start: 0, end: 26 },
    ]);
  });
});
