import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Episode, EpisodeReader } from "#core/contracts/episode.ts";
import { checkDataset } from "#datasets/check/check-dataset.ts";
import type { Finding } from "#datasets/check/findings.ts";
import { checkTimestamps } from "#datasets/check/timestamps.ts";
import { ValueCheck } from "#datasets/check/values.ts";
import { openLeRobot } from "#datasets/lerobot/index.ts";
import { episodeSchema } from "#datasets/lerobot/schema.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { openParquet, writeParquet } from "#datasets/parquet.ts";
import { camera, writeSet } from "../lerobot/make-set.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
let copies = 0;
const copy = () => {
  const path = join(folder, `copy-${copies++}`);
  cpSync(join(folder, "set"), path, { recursive: true });
  return path;
};
const check = async (path: string) => checkDataset(await openDataset(path));
const errors = (findings: readonly Finding[]) =>
  findings
    .filter(({ severity }) => severity === "error")
    .map(({ check: name, episode, message }) => [name, episode, message]);
const video = (path: string, index: number) => join(path, `videos/chunk-000/${camera}/episode_00000${index}.mp4`);
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, "utf8")));

beforeAll(() => writeSet(join(folder, "set")));

describe("checkDataset", () => {
  it("finds no error in a set that we wrote, and says what is odd", async () => {
    const progress: number[] = [];
    const report = await checkDataset(await openDataset(copy()), { onProgress: (done) => progress.push(done) });
    expect([report.episodes, report.frames, errors(report.findings), progress]).toEqual([3, 14, [], [1, 2, 3]]);
    expect(report.findings).toEqual([
      { severity: "warning", check: "values", feature: "action", message: "constant over the whole set: dy" },
      {
        severity: "warning",
        check: "timestamps",
        episode: 1,
        message: "1 gaps: up to 0.300 s between frames instead of 0.100 s",
      },
    ]);
  });

  it("finds no error in version 3, where many episodes share a video", async () => {
    await writeSet(join(folder, "three"), { version: "v3.0" });
    expect(errors((await check(join(folder, "three"))).findings)).toEqual([]);
  });

  it("finds wrong statistics of version 3: of an episode, and of the set that trainers normalise with", async () => {
    const path = join(folder, "three-wrong");
    await writeSet(path, { version: "v3.0" });
    const stats = JSON.parse(readFileSync(join(path, "meta/stats.json"), "utf8"));
    stats.action.mean[0] += 1;
    writeFileSync(join(path, "meta/stats.json"), JSON.stringify(stats));
    expect(errors((await check(path)).findings)).toEqual([
      ["statistics", undefined, "stored mean of the whole set are not those of its rows"],
    ]);
    // Actions that were changed without their statistics.
    const data = "data/chunk-000/file-000.parquet";
    const file = await openParquet(join(path, data));
    const rows = await file.columns(file.names);
    await file.close();
    const { columns } = episodeSchema((await openLeRobot(path)).info.features);
    const action = (rows.get("action") as number[][]).map(([first, ...rest]) => [first! + 5, ...rest]);
    const moved = columns.map((column) => ({
      ...column,
      values: column.name === "action" ? action : (rows.get(column.name) as unknown[]),
    }));
    writeParquet(join(path, data), moved);
    const found = errors((await check(path)).findings).filter(([name]) => name === "statistics");
    expect(found.map(([, episode]) => episode)).toEqual([undefined, 0, 1, 2]);
  });

  it("finds splits that share episodes or go beyond the set, and a column that is missing", async () => {
    const path = copy();
    const splits = { train: "0:2", val: "1:3", test: "3:9" };
    edit(join(path, "meta/info.json"), (text) => JSON.stringify({ ...JSON.parse(text), splits }));
    expect(errors((await check(path)).findings)).toEqual([
      ["splits", undefined, 'split "test" is 3:9, but the set has 3 episodes'],
      ["splits", undefined, 'splits "train" and "val" share 1 episodes: they leak'],
    ]);
    const other = copy();
    edit(join(other, "meta/info.json"), (text) => {
      const info = JSON.parse(text);
      info.features["observation.effort"] = { dtype: "float32", shape: [2], names: null };
      return JSON.stringify(info);
    });
    const rows = errors((await check(other)).findings).filter(([name]) => name === "rows");
    expect(rows).toHaveLength(3);
    expect(rows[0]![2]).toContain('must have a column "observation.effort"');
  });

  it("finds missing videos and videos unlike their rows", async () => {
    const path = copy();
    rmSync(video(path, 0));
    copyFileSync(video(path, 2), video(path, 1));
    expect(errors((await check(path)).findings)).toEqual([
      ["videos", 0, `${video(path, 0)}: the video does not exist. Check the path.`],
      ["videos", 1, "the video has 3 frames, the episode 6 rows"],
    ]);
  });

  it("finds pictures that are shown at other times than their rows", async () => {
    const reader = await openDataset(copy());
    const shifted: EpisodeReader = {
      ...reader,
      async episode(index): Promise<Episode> {
        const episode = await reader.episode(index);
        return { ...episode, timestampsS: episode.timestampsS.map((time) => time + 0.25) };
      },
    };
    const { findings } = await checkDataset(shifted);
    expect(findings).toContainEqual({
      severity: "warning",
      check: "videos",
      episode: 0,
      feature: camera,
      message: "frames are shown up to 0.250 s away from the time of their row",
    });
  });

  it("finds statistics and totals that are not those of the rows", async () => {
    const path = copy();
    edit(join(path, "meta/episodes_stats.jsonl"), (text) => text.replace('"mean":[0.5,-0.5,0]', '"mean":[0.6,-0.5,0]'));
    edit(join(path, "meta/info.json"), (text) => text.replace('"total_frames": 14', '"total_frames": 15'));
    expect(errors((await check(path)).findings)).toEqual([
      ["metadata", undefined, "the metadata says 15 frames, 14 could be read"],
      ["statistics", 0, "stored mean are not those of the rows"],
    ]);
  });

  it("finds episodes that are there twice, and goes on after one that cannot be read", async () => {
    const path = copy();
    copyFileSync(
      join(path, "data/chunk-000/episode_000000.parquet"),
      join(path, "data/chunk-000/episode_000001.parquet"),
    );
    rmSync(join(path, "data/chunk-000/episode_000002.parquet"));
    edit(join(path, "meta/episodes.jsonl"), (text) => text.replace('"length":6', '"length":5'));
    const found = errors((await check(path)).findings);
    expect(found).toContainEqual(["duplicates", 1, "is the same as episode 0: it would leak between splits"]);
    expect(found.some(([name, episode]) => name === "rows" && episode === 2)).toBe(true);
  });
});

describe("checkTimestamps", () => {
  const check = (...times: number[]) =>
    checkTimestamps(4, Float64Array.from(times), 10).map(({ severity, message }) => [severity, message]);

  it.each([
    [[0, 0.1, 0.2], []],
    [[0, 0.1, 0.1], [["error", "frame 2 is at 0.100 s, not after frame 1"]]],
    [[0, Number.NaN], [["error", "frame 1 has the time NaN"]]],
    [
      [0, 0.1, 0.21],
      [["warning", "1 intervals differ from 0.1000 s by more than 0.0001 s; LeRobot's default check refuses that"]],
    ],
    [[0, 0.1, 0.31, 0.41], [["warning", "1 gaps: up to 0.210 s between frames instead of 0.100 s"]]],
  ])("says of %j: %j", (times, expected) => {
    expect(check(...times)).toEqual(expected);
  });
});

describe("ValueCheck", () => {
  it("finds values that are not finite, constants and outliers, and names the dimension", () => {
    const check = new ValueCheck({ action: { dtype: "float32", shape: [2], names: ["x", "grip"] } });
    const wave = Array.from({ length: 1000 }, (_, frame) => [Math.sin(frame), 1]).flat();
    expect(check.add(0, "action", wave)).toEqual([]);
    const spoilt = [...wave];
    spoilt[2 * 7] = 50;
    spoilt[2 * 9] = Number.NaN;
    expect(check.add(3, "action", spoilt).map(({ message }) => message)).toEqual([
      "1 values are not finite, the first in frame 9",
    ]);
    expect(check.finish().map(({ episode, message }) => [episode, message])).toEqual([
      [3, expect.stringMatching(/^x is 50\.00 in frame 7, \d+ standard deviations from the mean$/)],
      [undefined, "constant over the whole set: grip"],
    ]);
  });
});

describe("openDataset", () => {
  it("refuses a folder that is no data set", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    await expect(openDataset(empty)).rejects.toThrow("must be a data set: LeRobot (meta/info.json)");
    await expect(openDataset(join(folder, "nowhere"))).rejects.toThrow("must be a data set");
  });
});
