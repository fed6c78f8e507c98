import { describe, expect, it } from "@jest/globals";
import { videoStill, videoTarget } from "#sim-viewer/src/episode/video-sync.ts";

/** Frames taken with a gap of three intervals, stored at an even 10 Hz. */
const timestampsS = [0.03, 0.13, 0.43, 0.53];
const fileTimesS = [0, 0.1, 0.2, 0.3];

describe("videoTarget", () => {
  it("runs at the clock's pace where the rates agree", () => {
    const target = videoTarget(fileTimesS, timestampsS, 0.08);
    expect(target.timeS).toBeCloseTo(0.05, 9);
    expect(target.rate).toBeCloseTo(1, 9);
  });

  it("stays on the frame before a gap for as long as the gap", () => {
    const target = videoTarget(fileTimesS, timestampsS, 0.28);
    expect(target.timeS).toBeCloseTo(0.15, 9);
    expect(target.rate).toBeCloseTo(1 / 3, 9);
  });

  it("shows the last frame at the end", () => {
    expect(videoTarget(fileTimesS, timestampsS, 0.53).timeS).toBeCloseTo(0.3, 9);
  });

  it("stops at the file's end when the video is shorter than the episode", () => {
    expect(videoTarget([0, 0.1], timestampsS, 0.5)).toEqual({ timeS: 0.1, rate: 1 });
  });
});

describe("rows that share a picture", () => {
  // A camera of 5 Hz beside rows of 10 Hz.
  const rows = [0, 0.1, 0.2, 0.3, 0.4];
  const shared = [0, 0, 0.2, 0.2, 0.4];

  it("are one stretch of the file that runs evenly", () => {
    for (const timeS of [0, 0.05, 0.15, 0.25, 0.35]) {
      const target = videoTarget(shared, rows, timeS);
      expect(target.timeS).toBeCloseTo(timeS, 9);
      expect(target.rate).toBeCloseTo(1, 9);
    }
  });

  it("stand in the middle of their picture", () => {
    expect(videoStill(shared, rows, 0.3)).toBeCloseTo(0.3, 9);
    expect(videoStill(shared, rows, 0.2)).toBeCloseTo(0.3, 9);
    expect(videoStill(shared, rows, 0.4)).toBeCloseTo(0.5, 9);
  });
});

describe("videoStill", () => {
  it.each([
    [0.03, 0.05],
    [0.3, 0.15],
    [0.43, 0.25],
    [9, 0.35],
  ])("stands in the middle of the frame of %p s", (timeS, expected) => {
    expect(videoStill(fileTimesS, timestampsS, timeS)).toBeCloseTo(expected, 9);
  });

  it("is the start of a file that is not known", () => {
    expect(videoStill([], timestampsS, 0.3)).toBe(0);
  });
});
