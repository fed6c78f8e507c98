import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { pairFrames, readFrameTimes } from "#cli/viewer-video-times.ts";
import { FormatError } from "#core/errors.ts";
import { encodeVideo } from "#datasets/video/encode.ts";
import { greySteps, makeVideo, temporaryFolder } from "../datasets/make-video.ts";

const folder = temporaryFolder();

describe("readFrameTimes", () => {
  it("reads the true times of an uneven video", async () => {
    const path = join(folder, "uneven.mp4");
    const times = [0, 0.1, 0.4, 0.5];
    const frames = times.map((timestampS) => ({ data: new Uint8Array(3 * 64), width: 8, height: 8, timestampS }));
    await encodeVideo(path, frames, { fps: 10 });
    expect(await readFrameTimes(path)).toBeAllClose(times);
  });

  it("sorts frames that are stored in another order than they are shown", async () => {
    const path = join(folder, "b-frames.mp4");
    await makeVideo(path, ...greySteps(12), "-c:v", "libx264", "-bf", "3", "-b_strategy", "0", "-g", "12");
    const times = await readFrameTimes(path);
    expect(times).toBeAllClose(Array.from({ length: 12 }, (_, frame) => times[0]! + frame / 10));
  });

  it.each([
    ["text", "hello"],
    ["nothing", ""],
  ])("refuses a file of %s", async (name, content) => {
    const path = join(folder, `${name}.mp4`);
    writeFileSync(path, content);
    await expect(readFrameTimes(path)).rejects.toThrow(FormatError);
    await expect(readFrameTimes(path)).rejects.toThrow(`${path}: must be a whole video file`);
  });

  it("refuses sound without pictures and a missing file", async () => {
    const path = join(folder, "tone.m4a");
    await makeVideo(path, "-f", "lavfi", "-i", "sine=duration=0.2");
    await expect(readFrameTimes(path)).rejects.toThrow("must hold a video track");
    await expect(readFrameTimes(join(folder, "none.mp4"))).rejects.toThrow(FormatError);
  });

  it("never fails otherwise on a cut file", async () => {
    const whole = readFileSync(await makeVideo(join(folder, "whole.mp4"), ...greySteps(4)));
    const path = join(folder, "cut.mp4");
    for (let share = 0; share < 1; share += 0.07) {
      writeFileSync(path, whole.subarray(0, Math.floor(whole.length * share)));
      await readFrameTimes(path).catch((error: unknown) => expect(error).toBeInstanceOf(FormatError));
    }
  });
});

describe("pairFrames", () => {
  it("pairs by number where there are as many frames as rows, whatever the clocks say", () => {
    expect(pairFrames([0, 0.1, 0.2], [0.03, 0.13, 0.43])).toEqual([0, 0.1, 0.2]);
  });

  it("pairs by time otherwise", () => {
    expect(pairFrames([0, 0.1, 0.2, 0.3], [0, 0.1999, 0.25, 0.9, 1])).toEqual([0, 0.2, 0.2, 0.3, 0.3]);
  });

  it("counts time from where the episode begins in a shared file", () => {
    expect(pairFrames([5, 5.1, 5.2], [0, 0.15], 5)).toEqual([5, 5.1]);
  });

  it("stands at the beginning when the file has no frame of the episode", () => {
    expect(pairFrames([], [0, 0.1], 5)).toEqual([5, 5]);
  });
});
