import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { readLatentLabels, writeLatentLabels } from "#datasets/labels.ts";
import { createExecutor } from "#engine/index.ts";
import { labelVideos } from "#lapa/quantizer/label.ts";
import { labelShard, mergeLabels } from "#lapa/quantizer/label-job.ts";
import { openVideoData, videoDataConfig } from "#lapa/quantizer/video-data.ts";
import { makeVideo, temporaryFolder } from "../../datasets/make-video.ts";
import { trainOnSquares } from "./train-on-squares.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Three videos of other lengths, between them one that cannot be read. */
async function makeVideos() {
  await mkdir(at("videos"));
  for (const [index, frames] of [9, 14, 7].entries()) {
    const pattern = ["-f", "lavfi", "-i", `testsrc2=size=32x32:rate=10`, "-frames:v", `${frames}`];
    await makeVideo(at(`videos/${index}.mp4`), ...pattern, "-vf", `hue=h=${40 * index}`);
  }
  writeFileSync(at("videos/1b.mp4"), Buffer.alloc(500));
}

describe("labels in shards", () => {
  it("are the labels of one process, to the byte; what cannot be read is named", async () => {
    await makeVideos();
    const executor = await createExecutor({ kind: "onnxruntime" });
    const quantizer = await trainOnSquares({ offsetS: 0.2 }, 2, executor);
    const where = videoDataConfig.parse({ videos: [at("videos")], cache: at("frames") });
    const size = quantizer.config.model.imageSize;

    const data = await openVideoData(where, { size });
    const whole = await labelVideos(quantizer, data, { executor, source: "videos" });
    data.close();
    writeLatentLabels(at("whole.parquet"), whole);

    const shards = at("labels.parquet.shards");
    const merged = () => mergeLabels(shards, quantizer, where, "videos");
    for (const shard of [2, 0]) await labelShard(shards, quantizer, where, { executor, shard, of: 3 });
    await expect(merged()).rejects.toThrow("1 of 3 shards are missing: 1");
    await labelShard(shards, quantizer, where, { executor, shard: 1, of: 3 });
    const { labels, problems } = await merged();
    writeLatentLabels(at("labels.parquet"), labels);

    expect(new Set(whole.episodes)).toEqual(new Set([0, 1, 2]));
    for (const name of ["parquet", "json"]) {
      expect(readFileSync(at(`labels.${name}`))).toEqual(readFileSync(at(`whole.${name}`)));
    }
    expect(problems).toEqual([{ path: at("videos/1b.mp4"), message: expect.stringContaining("1b.mp4") }]);
    const again = await readLatentLabels(at("labels.parquet"), { quantizerHash: quantizer.id, sourceHash: data.hash });
    expect(again.codes).toEqual(whole.codes);

    // Shards of another quantizer are not these; a damaged result is refused by name.
    await expect(mergeLabels(shards, { ...quantizer, id: "other" }, where, "videos")).rejects.toThrow(
      "no finished shard",
    );
    const [result] = readdirSync(shards).filter((name) => name.endsWith(".result"));
    writeFileSync(join(shards, result!), "[]");
    await expect(merged()).rejects.toThrow(result);

    // A folder of which nothing is usable is not lost beside another.
    rmSync(shards, { recursive: true });
    await mkdir(at("cut"));
    writeFileSync(at("cut/0.mp4"), Buffer.alloc(500));
    const both = { ...where, videos: [at("videos"), at("cut")] };
    await labelShard(shards, quantizer, both, { executor, shard: 0, of: 1 });
    await expect(mergeLabels(shards, quantizer, both, "both")).rejects.toThrow("none of 1 videos can be used");
    await executor.dispose();
  });
});
