import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { FormatError, UserError } from "#core/errors.ts";
import { openFrameCache } from "#datasets/frame-cache.ts";
import { clipsOfLeRobot, openLeRobot } from "#datasets/lerobot/index.ts";
import { writeParquet } from "#datasets/parquet.ts";
import { temporaryFolder } from "../make-video.ts";
import { camera, episodes, writeSet } from "./make-set.ts";

const folder = temporaryFolder();
let copies = 0;
/** A fresh copy of the set to spoil. */
function copy(): string {
  const path = join(folder, `copy-${copies++}`);
  cpSync(join(folder, "set"), path, { recursive: true });
  return path;
}
const parquet = "data/chunk-000/episode_000001.parquet";
const video = `videos/chunk-000/${camera}/episode_000001.mp4`;
const drain = async (frames: AsyncIterable<unknown>) => {
  for await (const _ of frames);
};
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, "utf8")));

beforeAll(() => writeSet(join(folder, "set")));

describe("openLeRobot", () => {
  it("reads version 2.0, which has its statistics elsewhere", async () => {
    const path = copy();
    edit(join(path, "meta/info.json"), (text) => text.replace("v2.1", "v2.0"));
    rmSync(join(path, "meta/episodes_stats.jsonl"));
    expect((await (await openLeRobot(path)).episode(2)).tasks).toEqual(["push the red block"]);
  });

  it("flattens names however they are nested", async () => {
    const path = copy();
    const nested = (names: unknown) =>
      edit(join(path, "meta/info.json"), (text) => {
        const info = JSON.parse(text);
        info.features.action.names = names;
        return JSON.stringify(info);
      });
    for (const names of [["a", "b", "c"], [["a", "b", "c"]], { motors: ["a", "b", "c"] }]) {
      nested(names);
      expect((await openLeRobot(path)).info.features.action!.names).toEqual(["a", "b", "c"]);
    }
    nested(null);
    expect((await openLeRobot(path)).info.features.action!.names).toBeNull();
  });

  it("gives pictures as the middle square when a size is asked for", async () => {
    const reader = await openLeRobot(join(folder, "set"));
    const sizes: number[][] = [];
    for await (const { width, height } of reader.frames(0, camera, 8)) sizes.push([width, height]);
    expect(sizes).toEqual(Array(5).fill([8, 8]));
  });

  it.each([
    ["a missing file", (path: string) => rmSync(join(path, parquet)), "the file is missing"],
    ["a cut file", (path: string) => truncateSync(join(path, parquet), 200), "the Parquet footer is missing"],
    [
      "a column that is missing",
      (path: string) =>
        writeParquet(join(path, parquet), [{ name: "index", type: "INT64", values: [0n, 1n, 2n, 3n, 4n, 5n] }]),
      'must have a column "observation.state"',
    ],
    [
      "fewer rows than the list says",
      (path: string) => edit(join(path, "meta/episodes.jsonl"), (text) => text.replace('"length":6', '"length":9')),
      "must have 9 rows for episode 1, got 6",
    ],
    [
      "rows of another width",
      (path: string) =>
        edit(join(path, "meta/info.json"), (text) =>
          text.replace(/("action": \{\s*"dtype": "float32",\s*"shape": \[\s*)3/, "$14"),
        ),
      'column "action", row 0: must have 4 values as info.json says, got 3',
    ],
  ])("refuses one episode with %s by name; the others stay readable", async (_, spoil, message) => {
    const path = copy();
    spoil(path);
    const reader = await openLeRobot(path);
    const reading = reader.episode(1);
    await expect(reading).rejects.toThrow(FormatError);
    await expect(reading).rejects.toThrow(message);
    if (!message.includes("info.json")) expect((await reader.episode(0)).length).toBe(5);
  });

  it("refuses a missing video, one that is shorter than its rows, and a camera that is not there", async () => {
    const path = copy();
    const reader = await openLeRobot(path);
    renameSync(join(path, video.replace("1.mp4", "2.mp4")), join(path, video));
    await expect(drain(reader.frames(1, camera))).rejects.toThrow("episode 1 has 6 rows, but its video has 3 frames");
    await expect(drain(reader.frames(2, camera))).rejects.toThrow("the video does not exist");
    await expect(drain(reader.frames(0, "wrist"))).rejects.toThrow(`has no camera "wrist"; it has ${camera}`);
    await expect(reader.episode(7)).rejects.toThrow("has no episode 7; it has 3 (the last is 2)");
    await expect(drain(reader.frames(0, camera))).resolves.toBeUndefined();
  });

  it.each([
    ["no set at all", (path: string) => rmSync(path, { recursive: true }), "must be there in a LeRobot data set"],
    ["an info.json that is cut", (path: string) => truncateSync(join(path, "meta/info.json"), 50), "must be JSON"],
    [
      "a missing key",
      (path: string) => edit(join(path, "meta/info.json"), (text) => text.replace('"fps"', '"hz"')),
      'key "fps"',
    ],
    [
      "another version",
      (path: string) => edit(join(path, "meta/info.json"), (text) => text.replace("v2.1", "v1.6")),
      'got "v1.6"',
    ],
    [
      "an unknown dtype",
      (path: string) => edit(join(path, "meta/info.json"), (text) => text.replace('"bool"', '"complex64"')),
      'got "complex64"',
    ],
    [
      "a cut list of episodes",
      (path: string) => truncateSync(join(path, "meta/episodes.jsonl"), 100),
      "line 2 must be a JSON object",
    ],
    [
      "no list of episodes",
      (path: string) => rmSync(join(path, "meta/episodes.jsonl")),
      "must be there, but is not (ENOENT)",
    ],
  ])("refuses %s", async (_, spoil, message) => {
    const path = copy();
    spoil(path);
    await expect(openLeRobot(path)).rejects.toThrow(FormatError);
    await expect(openLeRobot(path)).rejects.toThrow(message);
  });
});

describe("clipsOfLeRobot", () => {
  it("gives the frame cache every episode with its task", async () => {
    const reader = await openLeRobot(join(folder, "set"));
    const cache = await openFrameCache(clipsOfLeRobot(reader, camera), { size: 8, directory: join(folder, "cache") });
    expect(cache.clips.map(({ name, frames, caption }) => [name, frames, caption])).toEqual(
      episodes.map(({ task, times }, index) => [`episode_00000${index}`, times.length, task]),
    );
    cache.close();
    expect(() => clipsOfLeRobot(reader, "wrist")).toThrow(UserError);
  });
});
