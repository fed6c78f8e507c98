import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { openVideoData, videoDataConfig } from "#lapa/quantizer/video-data.ts";
import { writeSet } from "../../datasets/lerobot/make-set.ts";
import { temporaryFolder } from "../../datasets/make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

describe("openVideoData", () => {
  it("refuses a folder of which no video can be used, whatever lies beside it", async () => {
    await writeSet(at("demonstrations"));
    mkdirSync(at("videos"));
    writeFileSync(at("videos/cut.mp4"), Buffer.alloc(500));
    const config = videoDataConfig.parse({ datasets: [at("demonstrations")], cache: at("frames"), holdOut: 0 });
    await expect(openVideoData({ ...config, videos: [at("videos")] }, { size: 16 })).rejects.toThrow(
      /none of 1 videos can be used:\n.*cut\.mp4/,
    );
    const data = await openVideoData(config, { size: 16 });
    expect(data.recorded.map((clip) => clip?.episode)).toEqual([0, 1, 2]);
    data.close();
  });
});
