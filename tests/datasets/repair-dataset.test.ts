import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { FormatError, UserError } from "#core/errors.ts";
import { openLeRobot } from "#datasets/lerobot/index.ts";
import { repairDataset } from "#datasets/repair-dataset.ts";
import { openRlds } from "#datasets/rlds/reader.ts";
import { createRldsWriter } from "#datasets/rlds/writer.ts";
import { camera, episodes, features, frameOf, writeSet } from "./lerobot/make-set.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

async function writeRlds(path: string): Promise<string> {
  const { [camera]: _, ...numbers } = features;
  const writer = await createRldsWriter(path, { fps: 10, robotType: "pusher", features: numbers });
  for (const [episode, { task, times }] of episodes.entries()) {
    await writer.startEpisode(task);
    for (let frame = 0; frame < times.length; frame++) await writer.addFrame(frameOf(episode, frame));
    await writer.endEpisode();
  }
  await writer.finish();
  return join(path, readdirSync(path).find((name) => name.includes("tfrecord"))!);
}

describe("repairDataset", () => {
  it("keeps the whole episodes of a LeRobot set and names the one whose footer is missing", async () => {
    await writeSet(at("set"));
    truncateSync(at("set/data/chunk-000/episode_000001.parquet"), 300);
    const { saved, unit, lost } = await repairDataset(at("set"), at("saved"));
    expect([saved, unit, lost.length]).toEqual([2, "episodes", 1]);
    expect(lost[0]).toMatch(/^episode 1: .*episode_000001\.parquet.*footer is missing/);
    const reader = await openLeRobot(at("saved"));
    expect((await reader.episode(1)).tasks).toEqual([episodes[2].task]);
    await expect(repairDataset(at("set"), at("saved"))).rejects.toThrow(UserError);
  });

  it("keeps the whole records of a cut TFRecord, and all but one where bytes were damaged", async () => {
    const cut = await writeRlds(at("cut"));
    truncateSync(cut, readFileSync(cut).length - 10);
    await expect(openRlds(at("cut"))).rejects.toThrow(FormatError);
    expect(await repairDataset(at("cut"), at("cut-saved"))).toMatchObject({ saved: 2, unit: "episodes" });
    expect((await openRlds(at("cut-saved"))).info.episodes).toBe(2);
    const info = JSON.parse(readFileSync(at("cut-saved/dataset_info.json"), "utf8"));
    expect(info.splits[0].shardLengths).toEqual(["2"]);

    const flipped = await writeRlds(at("flipped"));
    const bytes = readFileSync(flipped);
    bytes[20]! ^= 0xff;
    writeFileSync(flipped, bytes);
    const { saved, lost } = await repairDataset(at("flipped"), at("flipped-saved"));
    expect(saved).toBe(2);
    expect(lost[0]).toContain("wrong checksum");
    expect((await (await openRlds(at("flipped-saved"))).episode(0)).tasks).toEqual([episodes[1].task]);
  });

  it("says what it cannot repair and leaves nothing behind", async () => {
    writeFileSync(at("x.bag"), "no bag");
    await expect(repairDataset(at("x.bag"), at("never"))).rejects.toThrow("must be a recording (.mcap), a LeRobot");
    const shard = await writeRlds(at("nothing"));
    truncateSync(shard, 20);
    await expect(repairDataset(at("nothing"), at("never"))).rejects.toThrow("no episode could be saved");
    expect(existsSync(at("never"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
