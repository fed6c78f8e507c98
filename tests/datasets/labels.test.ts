import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "@jest/globals";
import type { LatentLabels } from "#core/contracts/latent-labels.ts";
import { FormatError, ShapeError, UserError } from "#core/errors.ts";
import { readLatentLabels, writeLatentLabels } from "#datasets/labels.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const path = join(folder, "labels.parquet");
const labels: LatentLabels = {
  ...{ quantizerHash: "q".repeat(64), codebookSize: 8, codesPerStep: 4, offsetS: 0.6 },
  source: { path: "videos", hash: "d".repeat(64) },
  episodes: Int32Array.of(0, 0, 3),
  first: Int32Array.of(0, 1, 7),
  second: Int32Array.of(18, 19, 25),
  codes: Int32Array.of(0, 1, 2, 3, 7, 7, 7, 7, 4, 5, 6, 0),
};

beforeEach(() => writeLatentLabels(path, labels));

describe("latent labels", () => {
  it("come back as they were written", async () => {
    expect(await readLatentLabels(path)).toEqual(labels);
    expect(
      await readLatentLabels(path, {
        quantizerHash: labels.quantizerHash,
        sourceHash: labels.source.hash,
        offsetS: 0.6,
      }),
    ).toEqual(labels);
    expect(readdirSync(folder).sort()).toEqual(["labels.json", "labels.parquet"]);
  });

  it.each([
    [{ quantizerHash: "r".repeat(64) }, "must be labels of quantizer rrrrrrrrrrrr, got those of qqqqqqqqqqqq"],
    [{ sourceHash: "e".repeat(64) }, "must be labels of data set eeeeeeeeeeee, got those of videos (dddddddddddd)"],
    [{ offsetS: 1 }, "must be labels of frames 1 s apart, got 0.6 s"],
  ])("are refused when they are of something else: %o", async (expected, message) => {
    const reading = readLatentLabels(path, expected);
    await expect(reading).rejects.toThrow(UserError);
    await expect(reading).rejects.toThrow(message);
  });

  it("are refused when the side file is missing or no side file", async () => {
    const side = join(folder, "labels.json");
    writeFileSync(side, readFileSync(side, "utf8").replace("armature-latent-labels-1", "other"));
    await expect(readLatentLabels(path)).rejects.toThrow("must be the side file of latent labels");
    writeFileSync(side, "{");
    await expect(readLatentLabels(path)).rejects.toThrow(FormatError);
    rmSync(side);
    await expect(readLatentLabels(path)).rejects.toThrow("the side file of the labels is missing");
  });

  it("are refused when the table is cut, changed or missing", async () => {
    const bytes = readFileSync(path);
    truncateSync(path, bytes.length - 20);
    await expect(readLatentLabels(path)).rejects.toThrow("its hash differs");
    bytes[20]! ^= 1;
    writeFileSync(path, bytes);
    await expect(readLatentLabels(path)).rejects.toThrow(FormatError);
    rmSync(path);
    await expect(readLatentLabels(path)).rejects.toThrow("the labels are missing beside their side file");
  });

  it("are not written when they contradict themselves", () => {
    const write = (change: Partial<LatentLabels>) => () =>
      writeLatentLabels(join(folder, "wrong.parquet"), { ...labels, ...change });
    expect(write({ codes: Int32Array.from(labels.codes, (code) => code + 1) })).toThrow(
      "codes must be in [0, 8), got 8 in pair 1",
    );
    expect(write({ first: Int32Array.of(0) })).toThrow(ShapeError);
    expect(write({ codesPerStep: 3 })).toThrow(ShapeError);
    expect(() => writeLatentLabels(join(folder, "wrong.pq"), labels)).toThrow("the file must end in .parquet");
    expect(readdirSync(folder).filter((name) => name.startsWith("wrong"))).toEqual([]);
  });
});
