import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { createLeRobotWriter, openLeRobot } from "#datasets/lerobot/index.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const frames = 50_000;

describe("an episode of 50,000 frames", () => {
  it("is written and read in bounded memory", async () => {
    const path = join(folder, "long");
    const camera = "observation.images.front";
    const writer = await createLeRobotWriter(path, {
      ...{ fps: 30, robotType: "pusher" },
      features: {
        action: { dtype: "float32", shape: [7], names: null },
        [camera]: { dtype: "video", shape: [64, 64, 3], names: null },
      },
    });
    const data = new Uint8Array(64 * 64 * 3);
    const before = process.memoryUsage().rss;
    let most = 0;
    await writer.startEpisode("long task");
    for (let frame = 0; frame < frames; frame++) {
      data.fill(frame % 200);
      await writer.addFrame({
        timestampS: frame / 30,
        values: { action: new Float32Array(7).fill(frame / 100) },
        images: { [camera]: { data, height: 64, width: 64 } },
      });
      if (frame % 1000 === 0) most = Math.max(most, process.memoryUsage().rss);
    }
    await writer.endEpisode();
    await writer.finish();
    // The pictures alone are 614 MB.
    expect((most - before) / 2 ** 20).toBeLessThan(300);
    const reader = await openLeRobot(path);
    const { length, timestampsS } = await reader.episode(0);
    expect([length, timestampsS[frames - 1]]).toEqual([frames, Math.fround((frames - 1) / 30)]);
    let count = 0;
    for await (const frame of reader.frames(0, camera)) {
      if (count++ % 1000 === 0) expect(Math.abs(frame.data[0]! - ((count - 1) % 200))).toBeLessThan(4);
    }
    expect(count).toBe(frames);
  });
});
