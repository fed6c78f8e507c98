import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import { convertLeRobot, type LeRobotReader, openLeRobot } from "#datasets/lerobot/index.ts";
import { temporaryFolder } from "../make-video.ts";
import { camera, episodes, greyOf, writeSet } from "./make-set.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

async function content(reader: LeRobotReader) {
  return Promise.all(
    reader.episodes.map(async ({ index }) => {
      const frames: { timestampS: number; data: string }[] = [];
      for await (const { timestampS, data } of reader.frames(index, camera)) {
        frames.push({ timestampS: Math.round(timestampS * 1e5) / 1e5, data: Buffer.from(data).toString("base64") });
      }
      return { ...(await reader.episode(index)), frames };
    }),
  );
}

beforeAll(async () => {
  await writeSet(at("two"), { metadata: { renderer: "raster-1" } });
  await convertLeRobot(await openLeRobot(at("two")), at("three"), { version: "v3.0" });
  await convertLeRobot(await openLeRobot(at("three")), at("back"), { version: "v2.1" });
});

describe("convertLeRobot", () => {
  it("loses nothing from v2.1 to v3.0 and back: numbers, tasks, times, pictures, metadata", async () => {
    const [two, three, back] = await Promise.all(["two", "three", "back"].map((name) => openLeRobot(at(name))));
    const original = await content(two!);
    expect([two!.version, three!.version, back!.version]).toEqual(["v2.1", "v3.0", "v2.1"]);
    expect(await content(three!)).toEqual(original);
    expect(await content(back!)).toEqual(original);
    for (const reader of [three!, back!]) {
      expect(reader.info).toMatchObject({
        fps: 10,
        robotType: "pusher",
        episodes: 3,
        frames: 14,
        metadata: { renderer: "raster-1", splits: { train: "0:3" } },
      });
      expect(reader.info.features).toEqual(two!.info.features);
    }
  });

  it("gives version 3 its layout: one file for all, running row and time ranges", async () => {
    const { episodes: places } = await openLeRobot(at("three"));
    expect(places.map(({ data }) => data.rowStart)).toEqual([0, 5, 11]);
    expect(places.map(({ videos }) => Math.round(videos[camera]!.range!.startS * 100))).toEqual([0, 50, 125]);
    const files = readdirSync(at("three"), { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.\w+$/.test(name.replaceAll(camera, "camera")),
    );
    expect(files.map((name) => name.replaceAll("\\", "/")).sort()).toEqual([
      ...["data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet", "meta/info.json"],
      ...["meta/stats.json", "meta/tasks.parquet", `videos/${camera}/chunk-000/file-000.mp4`],
    ]);
  });

  it("gives version 3 exact statistics over the whole set", () => {
    const stats = JSON.parse(readFileSync(join(at("three"), "meta/stats.json"), "utf8"));
    // observation.state x is frame / 8: 0..4, 0..5 and 0..2 in three episodes.
    const x = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5].map((frame) => frame / 8);
    expect(stats["observation.state"].count).toEqual([14]);
    expect(stats["observation.state"].mean[0]).toBeCloseTo(x.reduce((sum, value) => sum + value) / 14, 12);
    expect([stats["observation.state"].q50[0], stats["observation.state"].max[0]]).toEqual([0.25, 0.625]);
    expect(stats["observation.state"].q90[0]).toBeCloseTo(0.5, 12);
    const greys = episodes
      .flatMap(({ times }, episode) => times.map((_, frame) => greyOf(episode, frame)))
      .sort((a, b) => a - b);
    expect(stats[camera].q50[0][0][0] * 255).toBeCloseTo((greys[6]! + greys[7]!) / 2, -0.5);
  });

  it("leaves out broken episodes only where somebody listens, and leaves nothing behind otherwise", async () => {
    await writeSet(at("holes"));
    rmSync(join(at("holes"), `videos/chunk-000/${camera}/episode_000001.mp4`));
    const reader = await openLeRobot(at("holes"));
    await expect(convertLeRobot(reader, at("strict"), { version: "v3.0" })).rejects.toThrow(FormatError);
    expect(existsSync(at("strict"))).toBe(false);
    const problems: number[] = [];
    expect(
      await convertLeRobot(reader, at("tolerant"), {
        version: "v3.0",
        onProblem: ({ episode }) => problems.push(episode),
      }),
    ).toBe(2);
    expect(problems).toEqual([1]);
    const written = await openLeRobot(at("tolerant"));
    expect((await written.episode(1)).columns.index).toEqual(BigInt64Array.of(5n, 6n, 7n));
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
