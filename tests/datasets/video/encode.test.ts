import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ShapeError, UserError } from "#core/errors.ts";
import { decodeVideo, type VideoFrame } from "#datasets/video/decode.ts";
import { createVideoWriter, encodeVideo } from "#datasets/video/encode.ts";
import { probeVideo } from "#datasets/video/probe.ts";
import { runningFfmpegs, temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const [width, height] = [32, 24];

/** Smooth colours with a step per frame, so that h264 keeps them closely. */
function picture(index: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  for (let position = 0; position < width * height; position++) {
    data[position * 3] = 40 + index * 20;
    data[position * 3 + 1] = 20 + (position % width) * 6;
    data[position * 3 + 2] = 200 - index * 10;
  }
  return data;
}
const frame = (index: number, timestampS?: number) => ({
  ...{ data: picture(index), width, height },
  ...(timestampS === undefined ? {} : { timestampS }),
});
async function decodeAll(path: string): Promise<VideoFrame[]> {
  const frames: VideoFrame[] = [];
  for await (const decoded of decodeVideo(path)) frames.push(decoded);
  return frames;
}
const meanError = (left: Uint8Array, right: Uint8Array) =>
  left.reduce((sum, value, index) => sum + Math.abs(value - right[index]!), 0) / left.length;

describe("encodeVideo", () => {
  it("gives back the pictures, a constant rate and the whole duration", async () => {
    const path = join(folder, "constant.mp4");
    expect(
      await encodeVideo(
        path,
        Array.from({ length: 8 }, (_, index) => frame(index)),
        { fps: 20 },
      ),
    ).toBe(8);
    const frames = await decodeAll(path);
    expect(frames.map(({ timestampS }) => timestampS)).toBeAllClose(
      frames.map((_, index) => index / 20),
      {
        absolute: 1e-9,
        relative: 0,
      },
    );
    for (const [index, decoded] of frames.entries()) expect(meanError(decoded.data, picture(index))).toBeLessThan(2.5);
    expect(await probeVideo(path)).toMatchObject({ codec: "h264", pixelFormat: "yuv420p", rateHz: 20, durationS: 0.4 });
  });

  it("keeps the times that frames come with", async () => {
    const path = join(folder, "times.mp4");
    const times = [0.25, 0.3, 0.52, 0.53, 1.1];
    await encodeVideo(
      path,
      times.map((timestampS, index) => frame(index, timestampS)),
      { fps: 10 },
    );
    expect((await decodeAll(path)).map(({ timestampS }) => timestampS)).toBeAllClose(times, {
      absolute: 6e-6,
      relative: 0,
    });
  });

  it("makes a single frame that can be played", async () => {
    const path = join(folder, "single.mp4");
    await encodeVideo(path, [frame(3)], { fps: 10 });
    expect((await decodeAll(path)).length).toBe(1);
    expect((await probeVideo(path)).durationS).toBeCloseTo(0.1, 5);
  });

  it("leaves nothing behind when the frames fail", async () => {
    const path = join(folder, "failed.mp4");
    const failing = (async function* () {
      yield frame(0);
      throw new Error("camera gone");
    })();
    await expect(encodeVideo(path, failing, { fps: 10 })).rejects.toThrow("camera gone");
    await expect(encodeVideo(path, [], { fps: 10 })).rejects.toThrow("a video must have at least one frame, got none");
    expect(readdirSync(folder).filter((name) => name.startsWith("failed"))).toEqual([]);
    expect(runningFfmpegs()).toBe(0);
  });
});

describe("createVideoWriter", () => {
  const options = { width, height, fps: 10 };

  it("shows the file under its name only when it is whole", async () => {
    const path = join(folder, "whole.mp4");
    const writer = await createVideoWriter(path, options);
    await writer.write(picture(0));
    expect(existsSync(path)).toBe(false);
    expect(await writer.close()).toBe(1);
    expect(existsSync(path)).toBe(true);
    await writer.abort();
    expect(existsSync(path)).toBe(true);
  });

  it("refuses odd sizes, frames of another size and times that go back", async () => {
    await expect(createVideoWriter(join(folder, "odd.mp4"), { ...options, width: 33 })).rejects.toThrow(
      "width must be an even number of pixels, got 33",
    );
    const writer = await createVideoWriter(join(folder, "strict.mp4"), options);
    await expect(writer.write(new Uint8Array(5))).rejects.toThrow(ShapeError);
    await writer.write(picture(0), 1);
    await expect(writer.write(picture(1), 1)).rejects.toThrow("frame 1 must come after 1 s, got 1 s");
    await writer.abort();
  });

  it("says that the folder is missing", async () => {
    const writing = async () => {
      const writer = await createVideoWriter(join(folder, "nowhere/video.mp4"), options);
      for (let index = 0; index < 200; index++) await writer.write(picture(0), index);
      await writer.close();
    };
    await expect(writing()).rejects.toThrow(UserError);
    await expect(writing()).rejects.toThrow("its folder does not exist");
  });

  it("stops on abort", async () => {
    const stop = new AbortController();
    const path = join(folder, "aborted.mp4");
    const writer = await createVideoWriter(path, { ...options, signal: stop.signal });
    await writer.write(picture(0));
    stop.abort(new Error("no more"));
    await expect(writer.close()).rejects.toThrow("no more");
    expect(readdirSync(folder).filter((name) => name.startsWith("aborted"))).toEqual([]);
  });
});
