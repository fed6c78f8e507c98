import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { type FrameCache, openFrameCache } from "#datasets/frame-cache.ts";
import { listVideoFolder } from "#datasets/video-folder.ts";
import { makeVideo, temporaryFolder } from "./make-video.ts";

const root = temporaryFolder();
const videos = join(root, "videos");
const worker = fileURLToPath(new URL("cache-worker.ts", import.meta.url));
const size = 96;

function build(directory: string, killAfterMs?: number): Promise<number | null> {
  const child = spawn(process.execPath, ["--import", "tsx", worker, videos, directory, String(size)], {
    stdio: "ignore",
  });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  return new Promise((resolve) =>
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    }),
  );
}

function allBytes(cache: FrameCache): Buffer {
  const frameBytes = size * size * 3;
  return Buffer.concat(
    cache.clips.map(({ frames }, clip) => {
      const out = new Uint8Array(frames * frameBytes);
      for (let frame = 0; frame < frames; frame++) cache.read(clip, frame, out, frame * frameBytes);
      return out;
    }),
  );
}

beforeAll(async () => {
  mkdirSync(videos);
  for (let number = 0; number < 6; number++) {
    await makeVideo(
      join(videos, `${number}.mp4`),
      "-f",
      "lavfi",
      "-i",
      `testsrc2=size=320x240:rate=30:duration=${3 + number}`,
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
    );
  }
});

describe("a frame cache that several processes build and that are killed in the middle", () => {
  it("ends with the same frames as one that was built in peace", async () => {
    const rng = createRng("cache kills");
    const directory = join(root, "killed");
    let killed = 0;
    for (let round = 0; round < 4; round++) {
      const codes = await Promise.all([0, 1].map(() => build(directory, 300 + rng.integer(1200))));
      killed += codes.filter((code) => code === null).length;
    }
    expect(killed).toBeGreaterThan(0);
    expect(await Promise.all([build(directory), build(directory)])).toEqual([0, 0]);
    const sources = await listVideoFolder(videos);
    const [survivor, peaceful] = await Promise.all(
      ["killed", "peaceful"].map((name) => openFrameCache(sources, { size, directory: join(root, name) })),
    );
    expect(survivor!.clips.map(({ frames }) => frames)).toEqual([90, 120, 150, 180, 210, 240]);
    expect(allBytes(survivor!).equals(allBytes(peaceful!))).toBe(true);
    expect(readdirSync(directory).filter((name) => name.endsWith(".clip")).length).toBe(6);
    survivor!.close();
    peaceful!.close();
  });
});
