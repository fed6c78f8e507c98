import { describe, expect, it } from "@jest/globals";
import { createPlayback, frameAt, frameTimeAt } from "#sim-viewer/src/episode/playback.ts";

/** Four frames with a gap of three intervals between the second and the third. */
const uneven = [0.5, 0.6, 0.9, 1];

describe("frameAt", () => {
  it.each([
    [0, 0],
    [0.5, 0],
    [0.599, 0],
    [0.6, 1],
    [0.89, 1],
    [0.9, 2],
    [1, 3],
    [7, 3],
  ])("finds the frame that is on at %p s", (timeS, frame) => {
    expect(frameAt(uneven, timeS)).toBe(frame);
  });

  it("is 0 where there are no frames", () => {
    expect(frameAt([], 3)).toBe(0);
  });
});

describe("frameTimeAt", () => {
  it("measures the fraction along each interval's own length", () => {
    expect(frameTimeAt(uneven, 0.75).frame).toBe(1);
    expect(frameTimeAt(uneven, 0.75).fraction).toBeCloseTo(0.5, 9);
    expect(frameTimeAt(uneven, 0.55).fraction).toBeCloseTo(0.5, 9);
  });

  it("stands still before the first and at the last frame", () => {
    expect(frameTimeAt(uneven, 0)).toEqual({ frame: 0, fraction: 0 });
    expect(frameTimeAt(uneven, 5)).toEqual({ frame: 3, fraction: 0 });
  });
});

describe("createPlayback", () => {
  it("starts stopped at the first capture time, wherever that lies", () => {
    const playback = createPlayback(uneven);
    expect([playback.timeS, playback.durationS, playback.isPlaying]).toEqual([0.5, 0.5, false]);
  });

  it("plays in real time times the speed and shows a frame for as long as it was on", () => {
    const playback = createPlayback(uneven, 0.5);
    playback.toggle();
    const seen: number[] = [];
    for (let tick = 0; tick < 10; tick++) {
      expect(playback.advance(0.1)).toBe(true);
      seen.push(playback.frame());
    }
    // Half speed: 0.05 s of the episode per tick, so the gap of 0.3 s takes six ticks.
    expect(seen).toEqual([0, 1, 1, 1, 1, 1, 1, 2, 2, 3]);
  });

  it("stops at the last frame and starts over from there", () => {
    const playback = createPlayback(uneven);
    playback.toggle();
    playback.advance(9);
    expect([playback.timeS, playback.isPlaying]).toEqual([1, false]);
    expect(playback.advance(1)).toBe(false);
    playback.toggle();
    expect([playback.timeS, playback.isPlaying]).toEqual([0.5, true]);
  });

  it("carries what runs over the end into the next round when it loops", () => {
    const playback = createPlayback(uneven, 1, true);
    playback.toggle();
    playback.advance(0.7);
    expect(playback.timeS).toBeCloseTo(0.7, 9);
    expect(playback.isPlaying).toBe(true);
  });

  it("stops on a frame's own time when it is sought, inside the episode", () => {
    const playback = createPlayback(uneven);
    playback.toggle();
    playback.seekFrame(2);
    expect([playback.timeS, playback.isPlaying]).toEqual([0.9, false]);
    playback.seekFrame(Number.POSITIVE_INFINITY);
    expect(playback.frame()).toBe(3);
    playback.seekFrame(-4);
    expect(playback.frame()).toBe(0);
  });

  it("keeps a sought time inside the episode and goes on playing", () => {
    const playback = createPlayback(uneven);
    playback.toggle();
    playback.seekTime(-1);
    expect([playback.timeS, playback.isPlaying]).toEqual([0.5, true]);
    playback.seekTime(8);
    expect(playback.timeS).toBe(1);
  });

  it.each([[[]], [[0.3]]])("never plays an episode without duration: %p", (timestampsS) => {
    const playback = createPlayback(timestampsS);
    playback.toggle();
    expect(playback.isPlaying).toBe(false);
    expect(playback.frame()).toBe(0);
  });
});
