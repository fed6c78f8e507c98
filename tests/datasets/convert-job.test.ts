import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { convertDataset } from "#datasets/convert-dataset.ts";
import { type ConvertJob, convertShard, mergeConverted } from "#datasets/convert-job.ts";
import { joinDatasets } from "#datasets/join-datasets.ts";
import { quantileOf } from "#datasets/lerobot/statistics.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { camera, episodes, features, frameOf, greyOf, writeSet } from "./lerobot/make-set.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Name and hash of every file of a folder. */
function hashesOf(path: string): string[] {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((file) => `${relative(path, file)} ${createHash("sha256").update(readFileSync(file)).digest("hex")}`);
}

/** The set with its pictures before they are compressed: a video would change them. */
async function losslessSet(): Promise<string> {
  const path = at("lossless");
  if (readdirSync(folder).includes("lossless")) return path;
  await writeSet(at("images"), { features: { ...features, [camera]: { ...features[camera]!, dtype: "image" } } });
  const reader = await openDataset(at("images"));
  await convertDataset(reader, path, { to: "rlds" });
  await reader.close();
  return path;
}

async function inShards(from: string, out: string, job: ConvertJob, of: number) {
  const reader = await openDataset(from);
  for (let shard = of - 1; shard >= 0; shard--) await convertShard(`${out}.shards`, reader, job, { shard, of });
  return mergeConverted(`${out}.shards`, reader, out, job);
}

describe("a conversion in shards", () => {
  it.each(["lerobot-v3.0", "rlds", "mcap", "robomimic"] as const)("holds every episode once: %s", async (to) => {
    const from = at("set");
    if (!readdirSync(folder).includes("set")) await writeSet(from);
    const job: ConvertJob = { to, leaveOutBroken: false };
    const target = to === "robomimic" ? at("out.hdf5") : at(`out-${to}`);
    expect(await inShards(from, target, job, 2)).toEqual({ episodes: 3, problems: [] });
    const reader = await openDataset(target);
    for (const [index, { task, times }] of episodes.entries()) {
      const { tasks, timestampsS, columns } = await reader.episode(index);
      expect(tasks).toEqual([task]);
      expect(timestampsS).toBeAllClose(times, { absolute: 1e-6, relative: 0 });
      expect(Array.from(columns.action as Float32Array)).toEqual(
        times.flatMap((_, frame) => [...frameOf(index, frame).values.action]),
      );
    }
    const name = Object.keys(reader.info.features).find((feature) => feature.endsWith(camera.split(".").at(-1)!))!;
    let frames = 0;
    for await (const _ of reader.frames(1, name)) frames++;
    expect(frames).toBe(episodes[1].times.length);
    await reader.close();
  });

  it("ends with the same bytes however it is split, and refuses a shard that is missing", async () => {
    const job: ConvertJob = { to: "lerobot-v2.1", leaveOutBroken: false };
    await inShards(at("set"), at("one"), job, 1);
    await inShards(at("set"), at("three"), job, 3);
    expect(hashesOf(at("three"))).toEqual(hashesOf(at("one")));
    const reader = await openDataset(at("set"));
    await convertDataset(reader, at("unsharded"), { to: "lerobot-v2.1" });
    expect(hashesOf(at("three"))).toEqual(hashesOf(at("unsharded")));
    const manifest = readdirSync(at("three.shards")).find((name) => name.startsWith("shard-00001"))!;
    rmSync(join(at("three.shards"), manifest));
    await expect(mergeConverted(at("three.shards"), reader, at("gap"), job)).rejects.toThrow(
      "1 of 3 shards are missing",
    );
    expect(readdirSync(folder)).not.toContain("gap");
  });

  it.each(["lerobot-v3.0", "lerobot-v2.1"] as const)("ends with the bytes of one process: %s", async (to) => {
    const from = await losslessSet();
    const reader = await openDataset(from);
    await convertDataset(reader, at(`single-${to}`), { to });
    await inShards(from, at(`merged-${to}`), { to, leaveOutBroken: false }, 2);
    expect(hashesOf(at(`merged-${to}`))).toEqual(hashesOf(at(`single-${to}`)));
  });

  it("has the statistics of the pictures before they were compressed", async () => {
    const statistics = JSON.parse(readFileSync(at("merged-lerobot-v3.0/meta/stats.json"), "utf8"))[camera];
    const greys = episodes.flatMap(({ times }, episode) => times.map((_, frame) => greyOf(episode, frame) / 255));
    const sorted = Float64Array.from(greys).sort();
    const mean = greys.reduce((sum, grey) => sum + grey, 0) / greys.length;
    const expected = { min: sorted[0]!, max: sorted.at(-1)!, mean, q50: quantileOf(sorted, 0.5) };
    for (const [name, value] of Object.entries(expected))
      expect(statistics[name].flat(2)).toBeAllClose([value, value, value], { absolute: 1e-12, relative: 0 });
    expect(statistics.count).toEqual([greys.length]);
  });

  it("refuses a part whose pictures nobody counted", async () => {
    const job: ConvertJob = { to: "lerobot-v2.1", leaveOutBroken: false };
    const reader = await openDataset(at("set"));
    await convertDataset(reader, at("no-part"), job);
    await expect(joinDatasets([at("no-part")], at("joined"), job)).rejects.toThrow(
      "part_pictures.jsonl: must be there",
    );
    expect(readdirSync(folder)).not.toContain("joined");
  });

  it("names an episode that cannot be read, or stops at it", async () => {
    await writeSet(at("broken"));
    truncateSync(at("broken/data/chunk-000/episode_000001.parquet"), 300);
    await expect(inShards(at("broken"), at("strict"), { to: "mcap", leaveOutBroken: false }, 1)).rejects.toThrow(
      "footer is missing",
    );
    const { episodes: count, problems } = await inShards(
      at("broken"),
      at("lenient"),
      { to: "mcap", leaveOutBroken: true },
      2,
    );
    expect([count, problems.map(({ episode }) => episode)]).toEqual([2, [1]]);
  });
});
