import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { decodeVideo } from "#datasets/video/decode.ts";
import { pickPlacePresets, renderRollout, writeRolloutVideo } from "#world/index.ts";
import { expertLog } from "../expert-log.ts";

const folder = mkdtempSync(join(tmpdir(), "rollout-video-"));
afterAll(() => rmSync(folder, { recursive: true }));

const suite = pickPlacePresets["pick-place"];

async function read(path: string): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const { data } of decodeVideo(path)) frames.push(data.slice());
  return frames;
}

const distance = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / a.length;

describe("writeRolloutVideo", () => {
  it("films every frame of a rollout, with any camera of its scene", async () => {
    const log = await expertLog("widowx", 4, suite);
    const [front, wrist] = [join(folder, "front.mp4"), join(folder, "wrist.mp4")];
    expect(await writeRolloutVideo(front, log, { size: 64 })).toBe(log.frames);
    await writeRolloutVideo(wrist, log, { size: 64, camera: "wrist" });
    const [seen, seenByWrist] = [await read(front), await read(wrist)];
    expect([seen.length, seenByWrist.length]).toEqual([log.frames, log.frames]);
    const [picture] = renderRollout(log, [log.frames - 1], 64);
    // What x264 loses is little beside what another view changes.
    expect(distance(seen.at(-1)!, picture!.data)).toBeLessThan(6);
    expect(distance(seenByWrist.at(-1)!, picture!.data)).toBeGreaterThan(15);
  });

  it("names the cameras there are, and leaves nothing behind", async () => {
    const log = await expertLog("widowx", 4, suite);
    const path = join(folder, "none.mp4");
    await expect(writeRolloutVideo(path, log, { size: 64, camera: "roof" })).rejects.toThrow(
      'camera: must be one of front, wrist, got "roof". Choose one.',
    );
    expect(existsSync(path)).toBe(false);
  });
});
