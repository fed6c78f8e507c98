import { describe, expect, it } from "@jest/globals";
import { lookAt, rotationVectorBetween } from "#core/geometry/quaternion.ts";
import { cameraPoseAt, type InitialCamera } from "#world/tabletop/initial.ts";

const still: InitialCamera = {
  position: [0, -0.5, 0.9],
  quaternion: lookAt([0, -0.5, 0.9], [0, 0, 0]),
  fovyDeg: 40,
};
const shaken: InitialCamera = { ...still, shake: { positionM: 0.01, angleRad: 0.02, seed: 7 } };
const apart = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, axis) => value - b[axis]!));

describe("cameraPoseAt", () => {
  it("leaves a fixed camera where it is", () => {
    expect(cameraPoseAt(still, 17)).toEqual({ position: still.position, quaternion: still.quaternion });
  });

  it("trembles within its limits, differently at every step, around its place", () => {
    const poses = Array.from({ length: 200 }, (_, step) => cameraPoseAt(shaken, step));
    const mean = [0, 0, 0];
    for (const { position, quaternion } of poses) {
      for (const axis of [0, 1, 2] as const) {
        expect(Math.abs(position[axis] - still.position[axis])).toBeLessThanOrEqual(0.01);
        mean[axis] = mean[axis]! + position[axis] / poses.length;
      }
      const turn = Math.hypot(...rotationVectorBetween(still.quaternion, quaternion));
      expect(turn).toBeLessThanOrEqual(0.02 * Math.sqrt(3) + 1e-9);
      expect(Math.hypot(...quaternion)).toBeCloseTo(1, 12);
    }
    expect(apart(mean, still.position)).toBeLessThan(0.004);
    expect(new Set(poses.map(({ position }) => position.join())).size).toBe(200);
  });

  it("moves slowly: no step takes it far", () => {
    for (let step = 0; step < 100; step++) {
      const [before, after] = [cameraPoseAt(shaken, step), cameraPoseAt(shaken, step + 1)];
      expect(apart(before.position, after.position)).toBeLessThan(0.014);
    }
  });

  it("is a function of seed and step alone, so that any frame can be drawn by itself", () => {
    expect(cameraPoseAt(shaken, 33)).toEqual(cameraPoseAt(shaken, 33));
    const other = { ...shaken, shake: { ...shaken.shake!, seed: 8 } };
    expect(cameraPoseAt(other, 33)).not.toEqual(cameraPoseAt(shaken, 33));
  });
});
