import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { type ConvertJob, convertShard, mergeConverted } from "#datasets/convert-job.ts";
import { openDataset } from "#datasets/open-dataset.ts";
import { camera, episodes, frameOf, writeSet } from "./lerobot/make-set.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Hash of all files of a folder with their names. */
function hashOf(path: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    hash.update(file.slice(path.length)).update(readFileSync(file));
  }
  return hash.digest("hex");
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
    expect(hashOf(at("three"))).toBe(hashOf(at("one")));
    const manifest = readdirSync(at("three.shards")).find((name) => name.startsWith("shard-00001"))!;
    rmSync(join(at("three.shards"), manifest));
    const reader = await openDataset(at("set"));
    await expect(mergeConverted(at("three.shards"), reader, at("gap"), job)).rejects.toThrow(
      "1 of 3 shards are missing",
    );
    expect(readdirSync(folder)).not.toContain("gap");
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
