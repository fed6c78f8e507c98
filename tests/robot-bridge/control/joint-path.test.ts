import { describe, expect, it } from "@jest/globals";
import { CommandHistory, PathFollower, pathEndNs, samplePath } from "#robot-bridge/control/joint-path.ts";
import { nsFromMs } from "#robot-bridge/protocol/stamp.ts";

const ms = nsFromMs;
const path = (startMs: number, ...rows: number[]) => ({
  startNs: ms(startMs),
  stepS: 0.1,
  rows: rows.map((value) => Float64Array.of(value, -value)),
});

describe("samplePath", () => {
  it.each([
    [900, 0, false],
    [1000, 0, false],
    [1050, 0.5, false],
    [1100, 1, false],
    [1175, 2.5, false],
    [1200, 3, true],
    [5000, 3, true],
  ])("at %d ms is at %d", (atMs, expected, isOver) => {
    const sample = samplePath(path(1000, 0, 1, 3), ms(atMs));
    expect(sample.positions).toBeAllClose([expected, -expected]);
    expect(sample.isOver).toBe(isOver);
  });

  it("of one row is over at once", () => {
    expect(pathEndNs(path(1000, 7))).toBe(ms(1000));
    expect(samplePath(path(1000, 7), ms(0))).toEqual({ positions: Float64Array.of(7, -7), isOver: true });
  });
});

describe("PathFollower", () => {
  it("has nothing to follow at first, and after it was cleared", () => {
    const follower = new PathFollower({ blendMs: 100 });
    expect(follower.sample(ms(0))).toBeNull();
    follower.follow(path(0, 0, 1), ms(0));
    follower.clear();
    expect(follower.sample(ms(0))).toBeNull();
  });

  it("splices a new path by time: rows that are past are not followed", () => {
    const follower = new PathFollower({ blendMs: 0 });
    expect(follower.follow(path(1000, 0, 1, 2, 3), ms(1150))).toBe(true);
    expect(follower.sample(ms(1150))!.positions[0]).toBeCloseTo(1.5, 9);
    expect(follower.sample(ms(1250))!.positions[0]).toBeCloseTo(2.5, 9);
  });

  it("drops a path that is wholly past and keeps the old one", () => {
    const follower = new PathFollower({ blendMs: 100 });
    follower.follow(path(1000, 0, 1), ms(1000));
    expect(follower.follow(path(0, 9, 9), ms(1050))).toBe(false);
    expect(follower.sample(ms(1050))!.positions[0]).toBeCloseTo(0.5, 9);
  });

  it("leaves no seam: the jump to the new path fades out over the blend time", () => {
    const follower = new PathFollower({ blendMs: 100 });
    follower.follow(path(0, 0, 0, 0, 0, 0), ms(0));
    follower.follow(path(0, 1, 1, 1, 1, 1), ms(100));
    const positions = [100, 125, 150, 200, 300].map((atMs) => follower.sample(ms(atMs))!.positions[0]!);
    // 1 - fade: 3 s^2 - 2 s^3 at s = 0, 1/4, 1/2, 1.
    expect(positions).toBeAllClose([0, 0.15625, 0.5, 1, 1]);
  });

  it("is not over while a blend is under way", () => {
    const follower = new PathFollower({ blendMs: 100 });
    follower.follow(path(0, 0, 0, 0), ms(0));
    follower.follow(path(100, 1, 1), ms(190));
    expect(follower.sample(ms(250))!.isOver).toBe(false);
    expect(follower.sample(ms(290))).toEqual({ positions: Float64Array.of(1, -1), isOver: true });
  });
});

describe("CommandHistory", () => {
  it("knows where the arm was told to be", () => {
    const history = new CommandHistory();
    expect(history.at(ms(0))).toBeNull();
    history.add(ms(100), [1, 10]);
    history.add(ms(120), [2, 20]);
    history.add(ms(140), [4, 40]);
    expect(history.at(ms(50))).toBeAllClose([1, 10]);
    expect(history.at(ms(110))).toBeAllClose([1.5, 15]);
    expect(history.at(ms(135))).toBeAllClose([3.5, 35]);
    expect(history.at(ms(999))).toBeAllClose([4, 40]);
  });

  it("forgets what is older than it should keep", () => {
    const history = new CommandHistory({ keptMs: 100 });
    for (let tick = 0; tick < 500; tick++) history.add(ms(tick), [tick]);
    expect(history.at(ms(0))![0]).toBeGreaterThan(300);
    history.clear();
    expect(history.at(ms(0))).toBeNull();
  });
});
