import { describe, expect, it } from "@jest/globals";
import { createHistory, createPulse, createStampClock } from "#sim-viewer/src/live/history.ts";

describe("createHistory", () => {
  it("keeps the samples of the last seconds, oldest first", () => {
    const history = createHistory(2, 1);
    for (const timeS of [0, 0.5, 1, 1.5]) history.add(timeS, [timeS, -timeS]);
    expect(history.read(1.5)).toEqual({
      timesS: [0.5, 1, 1.5],
      values: [
        [0.5, 1, 1.5],
        [-0.5, -1, -1.5],
      ],
    });
    expect(history.read(2.2)).toEqual({ timesS: [1.5], values: [[1.5], [-1.5]] });
    expect(history.read(9).timesS).toEqual([]);
  });

  it("has a hole where a number is missing or is none", () => {
    const history = createHistory(3, 1);
    history.add(1, [Number.NaN, 2]);
    expect(history.read(1).values).toEqual([[null], [2], [null]]);
  });

  it("starts over when time goes back and joins two samples of one instant", () => {
    const history = createHistory(1, 10);
    for (const [timeS, value] of [
      [5, 1],
      [6, 2],
      [6, 3],
      [2, 4],
    ] as const)
      history.add(timeS, [value]);
    expect(history.read(6)).toEqual({ timesS: [2], values: [[4]] });
    history.add(2, [5]);
    expect(history.read(2)).toEqual({ timesS: [2], values: [[5]] });
  });
});

describe("createPulse", () => {
  it("counts beats of the last second and knows the age of the last", () => {
    const pulse = createPulse();
    expect([pulse.rateHz(0), pulse.ageMs(0)]).toEqual([0, null]);
    for (const nowMs of [0, 200, 400, 1300]) pulse.beat(nowMs);
    expect([pulse.rateHz(1350), pulse.ageMs(1350)]).toEqual([2, 50]);
    expect([pulse.rateHz(5000), pulse.ageMs(5000)]).toEqual([0, 3700]);
  });
});

describe("createStampClock", () => {
  it("keeps the distances of messages that arrive in a burst", () => {
    const at = createStampClock();
    expect(at(100, 7.01)).toBeCloseTo(7.01, 9);
    expect(at(100.02, 7.05)).toBeCloseTo(7.03, 9);
    expect(at(100.04, 7.05)).toBeCloseTo(7.05, 9);
    // The fastest message so far sets the clock.
    expect(at(100.06, 7.06)).toBeCloseTo(7.06, 9);
    expect(at(100.08, 7.2)).toBeCloseTo(7.08, 9);
  });

  it("takes 0 for now and follows a clock that was set", () => {
    const at = createStampClock();
    expect(at(0, 3)).toBe(3);
    at(100, 3);
    expect(at(50, 3.1)).toBeCloseTo(3.1, 9);
    expect(at(50.1, 3.3)).toBeCloseTo(3.2, 9);
  });
});
