import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { clipsConfig } from "#datasets/clips/config.ts";
import {
  contentChange,
  halve,
  motionBetween,
  peakDifference,
  sharpness,
  toGrey,
  toHsv,
} from "#datasets/clips/frame-measures.ts";
import { findScenes } from "#datasets/clips/scenes.ts";
import { selectClips } from "#datasets/clips/select-clips.ts";
import { makeVideo, temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const source = (name: string) => ({ name, path: at(name) });
const config = clipsConfig.parse({});

/** A textured scene in which a block moves by `speed` pixels a frame. */
const scene = (colour: string, frames: number, speed: number) => [
  ...["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=20,trim=end_frame=1,loop=loop=-1:size=1,setpts=N/20/TB"],
  ...["-f", "lavfi", "-i", `color=${colour}:size=24x24:rate=20`],
  ...[
    "-filter_complex",
    `[0][1]overlay=x='20+mod(${speed}*n,80)':y=40,format=yuv420p`,
    "-frames:v",
    `${frames}`,
    "-c:v",
    "libx264",
    "-qp",
    "10",
  ],
];

describe("what is measured of a frame", () => {
  it("is HSV as OpenCV has it", () => {
    const hsv = toHsv(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 0, 255, 128, 128, 128, 0, 0, 0));
    expect([...hsv.subarray(0, 6)]).toEqual([0, 60, 120, 150, 0, 0]);
    expect([...hsv.subarray(6, 12)]).toEqual([255, 255, 255, 255, 0, 0]);
    expect([...hsv.subarray(12)]).toEqual([255, 255, 255, 255, 128, 0]);
    expect(contentChange(hsv.subarray(0, 3), hsv.subarray(1, 4))).toBeCloseTo((60 + 60 + 30) / 3, 6);
  });

  it("is grey by BT.601, halved by averages", () => {
    const grey = toGrey(Uint8Array.of(100, 0, 0, 0, 100, 0, 0, 0, 100, 200, 200, 200));
    expect(grey).toBeAllClose([29.9, 58.7, 11.4, 200]);
    expect([...halve(grey, 2)][0]).toBeCloseTo(75, 3);
  });

  it("tells a camera that moves from a thing that moves", () => {
    const size = 32;
    const texture = (x: number, y: number) =>
      128 + 60 * Math.sin(x * 1.7) * Math.cos(y * 1.1) + 40 * Math.sin((x + y) * 0.9);
    const picture = (dx: number) =>
      Float32Array.from({ length: size * size }, (_, index) => texture((index % size) + dx, Math.floor(index / size)));
    const still = motionBetween(picture(0), picture(0), size);
    expect(still).toEqual({ peak: 0, total: 0, own: 0 });
    const panned = motionBetween(picture(0), picture(3), size);
    expect(panned.total).toBeGreaterThan(20);
    expect(panned.own).toBeLessThan(1e-3);
    const block = picture(0);
    for (let y = 8; y < 12; y++) for (let x = 8; x < 12; x++) block[y * size + x]! += 64;
    const moved = motionBetween(picture(0), block, size);
    expect([moved.peak, moved.total, moved.own]).toBeAllClose([64, 1, 1], { absolute: 1e-3, relative: 0 });
    expect(peakDifference(picture(0), block, size)).toBeCloseTo(64, 3);
  });

  it("is sharper before it is averaged", () => {
    const size = 16;
    const checks = Float32Array.from(
      { length: 256 },
      (_, index) => (((index % size) + Math.floor(index / size)) % 2) * 200,
    );
    expect(sharpness(checks, size)).toBeCloseTo(800 ** 2, 0);
    expect(sharpness(new Float32Array(256).fill(90), size)).toBe(0);
  });
});

describe("findScenes", () => {
  it("cuts where colours change, but not twice within the shortest scene", () => {
    const changes = [0, 1, 1, 40, 1, 50, 1, 1, 30, 1];
    expect(findScenes(changes, 27, 3)).toEqual([
      { start: 0, end: 3 },
      { start: 3, end: 8 },
      { start: 8, end: 10 },
    ]);
    expect(findScenes([], 27, 3)).toEqual([]);
    expect(findScenes([0], 27, 3)).toEqual([{ start: 0, end: 1 }]);
  });
});

describe("selectClips", () => {
  beforeAll(async () => {
    await makeVideo(at("moving.mp4"), ...scene("red", 40, 2));
    await makeVideo(at("still.mp4"), ...scene("red", 40, 0));
    await makeVideo(at("short.mp4"), ...scene("red", 10, 2));
    await makeVideo(at("second.mp4"), ...scene("lime", 40, 3));
    await makeVideo(at("reencoded.mp4"), "-i", at("moving.mp4"), "-c:v", "libx264", "-crf", "30");
    await makeVideo(at("blurred.mp4"), "-i", at("moving.mp4"), "-vf", "boxblur=12", "-c:v", "libx264");
    const pan = "crop=128:96:x='20+2*n':y=40";
    await makeVideo(
      at("pan.mp4"),
      "-f",
      "lavfi",
      "-i",
      "mandelbrot=size=320x240:rate=20:start_scale=2:end_scale=2,trim=end_frame=1,loop=loop=-1:size=1,setpts=N/20/TB",
      "-vf",
      `${pan},format=yuv420p`,
      "-frames:v",
      "40",
      "-c:v",
      "libx264",
    );
    const joined = [
      "-i",
      at("moving.mp4"),
      "-f",
      "lavfi",
      "-i",
      "color=white:size=128x96:rate=20:duration=1",
      "-i",
      at("second.mp4"),
    ];
    await makeVideo(
      at("joined.mp4"),
      ...joined,
      "-filter_complex",
      "[0][1][2]concat=n=3:v=1,format=yuv420p",
      "-c:v",
      "libx264",
    );
    writeFileSync(at("broken.mp4"), "no video");
    copyFileSync(at("moving.mp4"), at("z-copy.mp4"));
  });

  it("keeps what moves and says of everything else why it was dropped", async () => {
    const names = [
      "moving.mp4",
      "still.mp4",
      "short.mp4",
      "blurred.mp4",
      "pan.mp4",
      "broken.mp4",
      "reencoded.mp4",
      "z-copy.mp4",
      "second.mp4",
    ];
    const progress: number[] = [];
    const { clips, dropped } = await selectClips(names.map(source), config, {
      onProgress: (done) => progress.push(done),
    });
    expect(clips.map(({ name }) => name)).toEqual(["moving.mp4", "second.mp4"]);
    expect(dropped.map(({ name, reason }) => [name, reason])).toEqual([
      ["still.mp4", "still"],
      ["short.mp4", "too short"],
      ["blurred.mp4", "blurred"],
      ["pan.mp4", "camera only"],
      ["broken.mp4", "unusable"],
      ["reencoded.mp4", "duplicate"],
      ["z-copy.mp4", "duplicate"],
    ]);
    expect(dropped.at(-1)!.detail).toBe("of moving.mp4");
    expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("cuts a video at its cuts, with ranges that take exactly the frames of a scene", async () => {
    const { clips, dropped } = await selectClips([source("joined.mp4")], { ...config, minimumS: 1.5 });
    expect(dropped.map(({ reason, startS }) => [reason, startS])).toEqual([["too short", 2]]);
    expect(clips.map(({ name }) => name)).toEqual(["joined.mp4@0.00", "joined.mp4@3.00"]);
    expect([clips[0]!.endS, clips[1]!.startS]).toBeAllClose([1.975, 2.975], { absolute: 1e-6, relative: 0 });
  });
});
