import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { decodeVideo } from "#datasets/video/decode.ts";
import {
  mergeSimulated,
  pickPlacePresets,
  type SimulateJob,
  simulateEpisodes,
  simulateShard,
  type VideoTruth,
  writeDemonstrations,
  writeSimulatedVideos,
} from "#world/index.ts";

const root = mkdtempSync(join(tmpdir(), "simulate-job-"));
const places: string[] = [];
const place = (name: string) => {
  places.push(join(root, name));
  return join(root, name);
};
afterEach(() => {
  for (const path of places.splice(0)) rmSync(path, { recursive: true, force: true });
});

const base = { suite: pickPlacePresets["pick-place"], split: "train", seed: 4, episodes: 3, size: 16 } as const;
const robot: SimulateJob = { ...base, embodiment: "widowx", cameras: ["front", "wrist"] };
const hand: SimulateJob = { ...base, embodiment: "hand" };

/** SHA-256 of every file of a folder, by name. */
function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(
    paths.map((path) => [relative(folder, path), createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
}

async function inShards(job: SimulateJob, of: number, name: string) {
  const shards = place(`${name}.shards`);
  for (let shard = of - 1; shard >= 0; shard--) await simulateShard(shards, job, { shard, of });
  const to = { directory: place(name), truthDirectory: place(`${name}-truth`) };
  expect(await mergeSimulated(shards, job, to)).toBe(job.episodes);
  return to;
}

describe("Shards of demonstrations", () => {
  it("end with the same bytes however they are split, and with those of one process", async () => {
    const two = await inShards(robot, 2, "two");
    const three = await inShards(robot, 3, "three");
    expect(digests(three.directory)).toEqual(digests(two.directory));
    const whole = place("whole");
    await writeDemonstrations(simulateEpisodes({ ...robot, workers: 0 }), { directory: whole });
    const direct = digests(whole);
    expect(digests(two.directory)).toEqual(direct);
    expect(Object.keys(direct).filter((name) => name.includes("observation.images.wrist")).length).toBe(1);
  });

  it("say which shard is missing and which result was damaged", async () => {
    const shards = place("parts");
    const to = { directory: place("never"), truthDirectory: place("never-truth") };
    await simulateShard(shards, robot, { shard: 0, of: 2 });
    await expect(mergeSimulated(shards, robot, to)).rejects.toThrow("1 of 2 shards are missing: 1");
    await simulateShard(shards, robot, { shard: 1, of: 2 });
    const [result] = readdirSync(shards).filter((name) => name.endsWith(".result"));
    writeFileSync(join(shards, result!, "meta", "info.json"), "{}");
    await expect(mergeSimulated(shards, robot, to)).rejects.toThrow("Remove it and run its shard again");
    expect(readdirSync(root)).not.toContain("never");
  });

  it("of another seed are not taken for these", async () => {
    const shards = place("others");
    await simulateShard(shards, { ...robot, episodes: 1 }, { shard: 0, of: 1 });
    const to = { directory: place("none"), truthDirectory: place("none-truth") };
    await expect(mergeSimulated(shards, { ...robot, episodes: 1, seed: 5 }, to)).rejects.toThrow("holds no finished");
  });
});

describe("Shards of label-free videos", () => {
  it("end with the folders that one process makes", async () => {
    const merged = await inShards(hand, 2, "films");
    const whole = { directory: place("whole-films"), truthDirectory: place("whole-truth") };
    await writeSimulatedVideos(simulateEpisodes({ ...hand, workers: 0 }), whole);
    expect(digests(merged.directory)).toEqual(digests(whole.directory));
    expect(digests(merged.truthDirectory)).toEqual(digests(whole.truthDirectory));
  });

  it("hold no action; the truth beside has every action and pose, frame by frame", async () => {
    const { directory, truthDirectory } = await inShards({ ...hand, episodes: 1 }, 1, "one");
    expect(readdirSync(directory).sort()).toEqual(["captions.jsonl", "video_000000.mp4"]);
    const caption = JSON.parse(readFileSync(join(directory, "captions.jsonl"), "utf8"));
    expect(Object.keys(caption).sort()).toEqual(["caption", "file"]);
    let frames = 0;
    for await (const frame of decodeVideo(join(directory, caption.file))) frames += frame.width === 16 ? 1 : 0;
    const truth = JSON.parse(readFileSync(join(truthDirectory, "video_000000.json"), "utf8")) as VideoTruth;
    expect([truth.tip.length, truth.actions.length, truth.states.length]).toEqual([frames, frames, frames]);
    expect(truth.actions[0]!.length).toBe(truth.actionNames.length);
    expect(truth.states[0]!.length).toBe(truth.stateNames.length);
    const opening = truth.stateNames.indexOf("opening");
    const openings = truth.states.map((row) => row[opening]!);
    // Fingers close around the thing, or around the handle, and open again or stay.
    expect(Math.max(...openings) - Math.min(...openings)).toBeGreaterThan(0.2);
  });
});
