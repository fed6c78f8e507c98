import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { openFrameCache } from "#datasets/frame-cache.ts";
import { clipsOfLeRobot, convertLeRobot, openLeRobot } from "#datasets/lerobot/index.ts";
import { decodeVideo } from "#datasets/video/decode.ts";
import { judge, judgesMissing, sharedData } from "./judge.ts";
import { writeSet } from "./lerobot/make-set.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const whereDataIs = existsSync(sharedData) ? describe : describe.skip;
const whereJudgesAre = judgesMissing === undefined ? describe : describe.skip;
const whereBothAre = existsSync(sharedData) && judgesMissing === undefined ? describe : describe.skip;

const meanError = (left: Uint8Array, right: readonly number[]) =>
  left.reduce((sum, value, index) => sum + Math.abs(value - right[index]!), 0) / left.length;

whereBothAre("decoding, against PyAV and OpenCV (needs ../shared/data and Python)", () => {
  it.each([
    ["h264 with B-frames and wide pixels", "human_dexwild/tracker_cam_ep_0.mp4"],
    ["h264 at 29.97 Hz", "human_demodiffusion/banana.mp4"],
    ["vp9 that starts before 0", "human_microsoft_lfo/human/drawer.webm"],
    ["mpeg4 part 2", "human_handpose3d/cam0_test.mp4"],
    ["an odd rate", "human_intel_bottle/bottle-detection.mp4"],
    ["av1", "robot_cr5/original_av1"],
  ])("gives the same times and pixels: %s", async (_, name) => {
    const path = name.endsWith("av1") ? join(sharedData, name, "episode_000000.mp4") : join(sharedData, name);
    if (!existsSync(path)) return;
    const expected = judge<{ times: number[]; shape: number[]; stored: number[]; small: number[] }>(
      "frames",
      path,
      "64",
    );
    const times: number[] = [];
    for await (const frame of decodeVideo(path, { size: 64 })) {
      if (times.length === 0) expect(meanError(frame.data, expected.small)).toBeLessThan(2);
      times.push(frame.timestampS);
    }
    expect(times).toBeAllClose(expected.times, { absolute: 2e-9, relative: 1e-12 });
    for await (const { data, height, width } of decodeVideo(path)) {
      expect([height, width, 3]).toEqual(expected.shape);
      expect(meanError(data, expected.stored)).toBeLessThan(2);
      break;
    }
  });
});

whereJudgesAre("a set that we write, in Python (needs datasets and av)", () => {
  it("opens, with synchronised videos, running indices and the same statistics", async () => {
    const set = await writeSet(join(folder, "written"));
    const seen = judge<{
      rows: number;
      columns: string[];
      indexRuns: boolean;
      worstVideoTimeS: number;
      worstStatistic: number;
      action: number[][];
    }>("lerobot", set);
    expect(seen).toMatchObject({ rows: 14, indexRuns: true });
    expect(seen.columns).toEqual([
      "observation.state",
      "action",
      "next.done",
      "timestamp",
      "frame_index",
      "episode_index",
      "index",
      "task_index",
    ]);
    // LeRobot refuses a set whose pictures are more than 1e-4 s away from their rows.
    expect(seen.worstVideoTimeS).toBeLessThan(1e-4);
    expect(seen.worstStatistic).toBeLessThan(1e-6);
    expect(seen.action[6]).toEqual([0.25, -0.5, 1]);
  });
});

whereDataIs("real LeRobot sets (need ../shared/data)", () => {
  it("reads every episode of the CR5 with its gaps in time", async () => {
    const reader = await openLeRobot(join(sharedData, "robot_cr5"));
    let [frames, gaps, longestS] = [0, 0, 0];
    for (const { index } of reader.episodes) {
      const { length, timestampsS, columns } = await reader.episode(index);
      expect([(columns["observation.state"] as Float32Array).length, (columns.action as Float32Array).length]).toEqual([
        length * 6,
        length * 7,
      ]);
      frames += length;
      for (let frame = 1; frame < length; frame++) {
        const interval = timestampsS[frame]! - timestampsS[frame - 1]!;
        if (interval > 0.15) gaps++;
        longestS = Math.max(longestS, interval);
      }
    }
    expect([reader.episodes.length, frames]).toEqual([65, 14_626]);
    expect(gaps).toBe(231);
    expect(longestS).toBeCloseTo(0.31, 2);
  });

  it("turns the CR5 into version 3.0 and back without loss: every number, every pixel, every time", async () => {
    const [three, back] = [join(folder, "cr5-three"), join(folder, "cr5-back")];
    const whole = await openLeRobot(join(sharedData, "robot_cr5"));
    const original = { ...whole, episodes: whole.episodes.slice(0, 12) };
    expect(await convertLeRobot(original, three, { version: "v3.0" })).toBe(12);
    expect(await convertLeRobot(await openLeRobot(three), back, { version: "v2.1" })).toBe(12);
    const returned = await openLeRobot(back);
    const camera = original.cameras[0]!;
    for (const { index } of original.episodes) {
      expect(await returned.episode(index)).toEqual(await original.episode(index));
      if (index % 4 !== 0) continue;
      const theirs = original.frames(index, camera)[Symbol.asyncIterator]();
      for await (const frame of returned.frames(index, camera)) {
        const { value } = await theirs.next();
        expect(Buffer.from(frame.data).equals(Buffer.from(value.data))).toBe(true);
        expect(frame.timestampS).toBeCloseTo(value.timestampS, 4);
      }
      expect((await theirs.next()).done).toBe(true);
    }
  });

  it("names the videos that the G1 set lacks and caches all others", async () => {
    const reader = await openLeRobot(join(sharedData, "robot_g1"));
    const cache = await openFrameCache(clipsOfLeRobot(reader, reader.cameras[0]!), {
      size: 32,
      directory: join(folder, "g1"),
    });
    expect(cache.problems.map(({ path }) => Number(/episode_(\d+)\.mp4$/.exec(path)![1]))).toEqual([
      0, 3, 6, 9, 47, 58, 61,
    ]);
    expect(cache.clips.length).toBe(78);
    const lengths = new Map(
      reader.episodes.map(({ index, length }) => [`episode_${String(index).padStart(6, "0")}`, length]),
    );
    expect(cache.clips.filter(({ name, frames }) => lengths.get(name) !== frames)).toEqual([]);
    expect((await reader.episode(3)).length).toBe(459);
    cache.close();
  });
});
