import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import { type DecodeOptions, decodeVideo, decodeVideoToFile, type VideoFrame } from "#datasets/video/decode.ts";
import { probeVideo } from "#datasets/video/probe.ts";
import {
  cutFile,
  greyOfStep,
  greySteps,
  makeVideo,
  runningFfmpegs,
  temporaryFolder,
  turnClockwise,
} from "../make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

async function decodeAll(path: string, options: DecodeOptions = {}): Promise<VideoFrame[]> {
  const frames: VideoFrame[] = [];
  for await (const frame of decodeVideo(path, options)) frames.push(frame);
  return frames;
}

const times = (frames: readonly VideoFrame[]) => frames.map((frame) => frame.timestampS);
const pixel = ({ data, width }: VideoFrame, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe("decodeVideo", () => {
  it("gives pixels, size and times of a plain video", async () => {
    const path = await makeVideo(at("plain.mp4"), ...greySteps(6), "-c:v", "libx264", "-qp", "0");
    const frames = await decodeAll(path);
    expect(frames.map(({ width, height, data }) => [width, height, data.length])).toEqual(
      Array(6).fill([32, 24, 32 * 24 * 3]),
    );
    expect(times(frames)).toBeAllClose([0, 0.1, 0.2, 0.3, 0.4, 0.5], { absolute: 1e-9, relative: 0 });
    expect(frames.flatMap((frame) => pixel(frame, 5, 5))).toBeAllClose(
      [0, 1, 2, 3, 4, 5].flatMap((step) => Array(3).fill(greyOfStep(step))),
      { absolute: 1.01, relative: 0 },
    );
  });

  it("keeps fractional rates exact", async () => {
    const path = await makeVideo(at("ntsc.mp4"), ...greySteps(4, "32x24", "30000/1001"), "-c:v", "libx264");
    expect(times(await decodeAll(path))).toBeAllClose(
      [0, 1, 2, 3].map((n) => (n * 1001) / 30000),
      {
        absolute: 1e-9,
        relative: 0,
      },
    );
  });

  it("keeps the times of a variable frame rate", async () => {
    const args = greySteps(6);
    args[args.indexOf("-vf") + 1] += ",settb=1/1000,setpts='(0.02*N*N)/TB'";
    const path = await makeVideo(
      at("variable.mkv"),
      ...args,
      "{passthrough}",
      "-enc_time_base",
      "1:1000",
      "-c:v",
      "libx264",
    );
    const frames = await decodeAll(path, { size: 8 });
    expect(times(frames)).toBeAllClose([0, 0.02, 0.08, 0.18, 0.32, 0.5], { absolute: 1e-3, relative: 0 });
    expect(frames.map((frame) => pixel(frame, 4, 4)[0]!)).toBeAllClose([0, 1, 2, 3, 4, 5].map(greyOfStep), {
      absolute: 4,
      relative: 0,
    });
  });

  it("hands B-frames out in presentation order", async () => {
    const path = await makeVideo(
      at("b.mp4"),
      ...greySteps(12),
      "-c:v",
      "libx264",
      "-bf",
      "3",
      "-x264-params",
      "b-adapt=0",
    );
    const frames = await decodeAll(path);
    expect(frames.map((frame) => pixel(frame, 9, 9)[1]!)).toBeAllClose(
      frames.map((_, step) => greyOfStep(step)),
      {
        absolute: 6,
        relative: 0,
      },
    );
    expect(times(frames)).toBeAllClose(
      frames.map((_, step) => step / 10),
      { absolute: 1e-9, relative: 0 },
    );
  });

  it("turns a phone's video upright", async () => {
    const left = "color=black:size=32x16:rate=5,drawbox=x=0:y=0:w=16:h=16:color=white:t=fill";
    const path = await makeVideo(
      at("turned.mp4"),
      "-f",
      "lavfi",
      "-i",
      left,
      "-frames:v",
      "2",
      "-c:v",
      "libx264",
      "-pix_fmt",
      "yuv420p",
    );
    turnClockwise(path);
    expect(await probeVideo(path)).toMatchObject({ width: 16, height: 32, rotationDeg: 90 });
    const [frame] = await decodeAll(path);
    expect([frame!.width, frame!.height]).toEqual([16, 32]);
    expect(pixel(frame!, 8, 2)[0]).toBeGreaterThan(240);
    expect(pixel(frame!, 8, 29)[0]).toBeLessThan(15);
  });

  it("decodes odd sizes", async () => {
    const args = greySteps(2, "64x46");
    args[args.indexOf("-vf") + 1] += ",format=yuv444p,crop=63:45";
    const path = await makeVideo(at("odd.mkv"), ...args, "-c:v", "ffv1");
    const frames = await decodeAll(path);
    expect([frames[1]!.width, frames[1]!.height, frames[1]!.data.length]).toEqual([63, 45, 63 * 45 * 3]);
    expect(pixel(frames[1]!, 62, 44)).toBeAllClose(Array(3).fill(greyOfStep(1)), { absolute: 1, relative: 0 });
  });

  it("cuts the middle out of what a person sees, or squeezes", async () => {
    // 64x16 with pixels twice as wide as high: 128x16 on the screen, of which the middle 16x16 is 8 stored pixels wide.
    const bands = "color=black:size=64x16:rate=5,drawbox=x=28:y=0:w=8:h=16:color=white:t=fill,setsar=2";
    const path = await makeVideo(
      at("wide.mp4"),
      "-f",
      "lavfi",
      "-i",
      bands,
      "-frames:v",
      "1",
      "-c:v",
      "libx264",
      "-qp",
      "0",
      "-pix_fmt",
      "yuv444p",
    );
    const [cropped] = await decodeAll(path, { size: 16 });
    expect(pixel(cropped!, 2, 8)[0]).toBeGreaterThan(240);
    expect(pixel(cropped!, 13, 8)[0]).toBeGreaterThan(240);
    const [squeezed] = await decodeAll(path, { size: 16, fit: "stretch" });
    expect(pixel(squeezed!, 3, 8)[0]).toBeLessThan(15);
    expect(pixel(squeezed!, 8, 8)[0]).toBeGreaterThan(200);
  });

  it("averages areas when it makes frames smaller", async () => {
    const stripes = "color=black:size=32x32:rate=5,geq=lum='if(mod(X,2),235,16)':cb=128:cr=128";
    const path = await makeVideo(
      at("stripes.mkv"),
      "-f",
      "lavfi",
      "-i",
      stripes,
      "-frames:v",
      "1",
      "-c:v",
      "ffv1",
      "-pix_fmt",
      "yuv444p",
    );
    const [frame] = await decodeAll(path, { size: 8 });
    expect([...frame!.data]).toBeAllClose(Array(8 * 8 * 3).fill(127.5), { absolute: 3, relative: 0 });
  });

  it("gives only the frames of a range, with their own times", async () => {
    const path = await makeVideo(at("range.mp4"), ...greySteps(25), "-c:v", "libx264", "-g", "5");
    const frames = await decodeAll(path, { size: 8, startS: 1.25, endS: 1.65 });
    expect(times(frames)).toBeAllClose([1.3, 1.4, 1.5, 1.6], { absolute: 1e-9, relative: 0 });
    expect(frames.map((frame) => pixel(frame, 4, 4)[0]!)).toBeAllClose([13, 14, 15, 16].map(greyOfStep), {
      absolute: 4,
      relative: 0,
    });
  });

  it("writes the same pixels to a file", async () => {
    const path = at("plain.mp4");
    const frames = await decodeAll(path, { size: 12 });
    const { timestampsS, width, height } = await decodeVideoToFile(path, at("plain.raw"), { size: 12 });
    expect([width, height, ...timestampsS]).toEqual([12, 12, ...times(frames)]);
    expect(readFileSync(at("plain.raw")).equals(Buffer.concat(frames.map(({ data }) => data)))).toBe(true);
  });

  it("ends ffmpeg when the loop is left or aborted", async () => {
    const path = await makeVideo(
      at("long.mp4"),
      ...greySteps(300, "640x480"),
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
    );
    for await (const frame of decodeVideo(path)) if (frame.timestampS > 0.05) break;
    expect(runningFfmpegs()).toBe(0);
    const stop = new AbortController();
    const run = async () => {
      for await (const frame of decodeVideo(path, { signal: stop.signal }))
        if (frame.timestampS > 0.05) stop.abort(new Error("enough"));
    };
    await expect(run()).rejects.toThrow("enough");
    expect(runningFfmpegs()).toBe(0);
  });
});

describe("a file that is no usable video", () => {
  const refusal = async (path: string): Promise<string> => {
    const error = await decodeAll(path, { size: 16 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message.startsWith(`${path}: `)).toBe(true);
    return (error as FormatError).message.slice(path.length + 2);
  };

  beforeAll(async () => {
    await makeVideo(at("whole.mp4"), ...greySteps(40, "160x120"), "-c:v", "libx264", "-movflags", "+faststart");
    await makeVideo(at("late.mp4"), ...greySteps(40, "160x120"), "-c:v", "libx264");
    const noise = [
      "-f",
      "lavfi",
      "-i",
      "testsrc=size=160x120:rate=10",
      "-vf",
      "noise=alls=40:allf=t",
      "-frames:v",
      "40",
    ];
    await makeVideo(at("noisy.mp4"), ...noise, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart");
    await makeVideo(at("whole.mkv"), ...greySteps(40, "160x120"), "-c:v", "libx264");
    await makeVideo(at("whole.avi"), ...greySteps(40, "160x120"), "-c:v", "mpeg4");
  });

  it.each(["whole.mp4", "whole.mkv", "whole.avi"])("is refused when %s is cut in the middle", async (name) => {
    const path = cutFile(at(name), at(`cut-${name}`), 0.6);
    expect(await refusal(path)).toMatch(/^the video is cut: \d+ of \d+ bytes are missing/);
  });

  it("is refused when the index at its end is missing", async () => {
    const cut = cutFile(at("late.mp4"), at("cut-late.mp4"), 0.6);
    expect(await refusal(cut)).toMatch(/^the video is cut: \d+ of \d+ bytes are missing/);
    const bytes = readFileSync(at("late.mp4"));
    writeFileSync(at("no-index.mp4"), bytes.subarray(0, bytes.indexOf("moov") - 4));
    expect(await refusal(at("no-index.mp4"))).toMatch(/^the video is cut: its index \(moov\)/);
  });

  it("is refused when bytes in its middle are damaged", async () => {
    const bytes = readFileSync(at("noisy.mp4"));
    bytes.fill(0x55, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.6));
    writeFileSync(at("damaged.mp4"), bytes);
    expect(await refusal(at("damaged.mp4"))).toMatch(/^the video is cut or damaged: \d+ frames could be decoded/);
  });

  it("is refused when it has sound alone, even with a cover picture", async () => {
    const sound = ["-f", "lavfi", "-i", "sine=duration=0.5"];
    await makeVideo(at("sound.m4a"), ...sound, "-c:a", "aac");
    expect(await refusal(at("sound.m4a"))).toMatch(/^must hold a video stream, but has none/);
    await makeVideo(at("cover.png"), "-f", "lavfi", "-i", "color=red:size=16x16", "-frames:v", "1");
    const cover = ["-i", at("cover.png"), "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic"];
    await makeVideo(at("song.mp3"), ...sound, ...cover);
    expect(await refusal(at("song.mp3"))).toMatch(/^must hold a video stream, but has none/);
  });

  it("is refused when it is missing, empty, a folder or something else", async () => {
    expect(await refusal(at("nowhere.mp4"))).toBe("the video does not exist. Check the path.");
    writeFileSync(at("empty.mp4"), "");
    expect(await refusal(at("empty.mp4"))).toMatch(/^the video is empty \(0 bytes\)/);
    mkdirSync(at("folder.mp4"));
    expect(await refusal(at("folder.mp4"))).toMatch(/^must be a video file, got a folder/);
    writeFileSync(at("text.mp4"), "not a video at all\n".repeat(200));
    expect(await refusal(at("text.mp4"))).toMatch(/^must be a video \(mp4, mov/);
  });

  it("is refused when it only points to other files", async () => {
    writeFileSync(at("list.mp4"), `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${at("whole.mp4")}\n#EXT-X-ENDLIST\n`);
    expect(await refusal(at("list.mp4"))).toMatch(/^must be a video/);
    writeFileSync(at("concat.mp4"), `ffconcat version 1.0\nfile '${at("whole.mp4")}'\n`);
    expect(await refusal(at("concat.mp4"))).toMatch(/^must be a video/);
  });

  it("is refused by the name of a codec that cannot be decoded", async () => {
    const bytes = readFileSync(at("whole.mkv"));
    bytes.write("V_MPEG4/ISO/ZZZ", bytes.indexOf("V_MPEG4/ISO/AVC"), "latin1");
    writeFileSync(at("codec.mkv"), bytes);
    expect(await refusal(at("codec.mkv"))).toMatch(/codec/);
  });
});

describe("probeVideo", () => {
  it("tells codec, size, rate, duration and sound without decoding", async () => {
    const path = await makeVideo(
      at("probed.mp4"),
      ...[
        "-f",
        "lavfi",
        "-i",
        "sine=duration=2",
        ...greySteps(20, "48x32"),
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        "-shortest",
      ],
    );
    expect(await probeVideo(path)).toMatchObject({
      ...{ codec: "h264", pixelFormat: "yuv420p", width: 48, height: 32, rateHz: 10, rotationDeg: 0 },
      ...{ pixelAspect: 1, hasAudio: true, startS: 0 },
    });
    expect((await probeVideo(path)).durationS).toBeCloseTo(2, 1);
  });

  it("refuses what decoding would refuse", async () => {
    await expect(probeVideo(at("text.mp4"))).rejects.toThrow(FormatError);
  });
});
