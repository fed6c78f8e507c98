import { describe, expect, it } from "@jest/globals";
import { positionsOf, samplePoses } from "#sim-viewer/src/episode/poses.ts";

const half = Math.SQRT1_2;
/** Two things over two frames: one moves along x, the other turns by 90 degrees about z and has its signs flipped. */
const poses = Float32Array.from([
  ...[0, 0, 0, 0, 0, 0, 1],
  ...[5, 5, 5, 0, 0, 0, 1],
  ...[2, 4, 6, 0, 0, 0, 1],
  ...[5, 5, 5, 0, 0, -half, -half],
]);

function sample(frame: number, fraction: number): number[] {
  const out = new Float32Array(14);
  samplePoses(poses, 2, { frame, fraction }, out);
  return [...out];
}

describe("samplePoses", () => {
  it("gives a frame's own poses at fraction 0", () => {
    expect(sample(0, 0)).toBeAllClose([0, 0, 0, 0, 0, 0, 1, 5, 5, 5, 0, 0, 0, 1]);
  });

  it("moves on straight lines", () => {
    expect(sample(0, 0.25).slice(0, 3)).toBeAllClose([0.5, 1, 1.5]);
  });

  it("turns the short way although the two quaternions have opposite signs", () => {
    const turned = sample(0, 0.5).slice(10);
    expect(turned).toBeAllClose([0, 0, Math.sin(Math.PI / 8), Math.cos(Math.PI / 8)], { absolute: 1e-6 });
  });

  it("stays at the last frame behind the end", () => {
    expect(sample(7, 0.5).slice(0, 3)).toBeAllClose([2, 4, 6]);
  });

  it("makes a unit quaternion of a broken one", () => {
    const out = new Float32Array(7);
    samplePoses(new Float32Array(7), 1, { frame: 0, fraction: 0 }, out);
    expect([...out.subarray(3)]).toEqual([0, 0, 0, 1]);
  });
});

describe("positionsOf", () => {
  it("picks one thing's positions out of every frame", () => {
    expect([...positionsOf(poses, 2, 0)]).toEqual([0, 0, 0, 2, 4, 6]);
    expect([...positionsOf(poses, 2, 1)]).toEqual([5, 5, 5, 5, 5, 5]);
  });
});
