import { describe, expect, it } from "@jest/globals";
import { Vector3 } from "three";
import { extentOf, groundGeoms, outlookFrom, rolloutExtent } from "#sim-viewer/src/three/extent.ts";
import type { Geom } from "#world/scene/scene.ts";
import { makeRollout } from "../make-rollout.ts";

describe("extentOf", () => {
  it("is the ball around all points", () => {
    const { centre, radius, floor } = extentOf([0, 0, 1, 2, 0, 1], 0, 0.1);
    expect([centre.toArray(), radius, floor]).toEqual([[1, 0, 1], 1, 0]);
  });

  it("leaves out points that are no numbers and is never empty", () => {
    expect(extentOf([0, 0, 0, Number.NaN, 1, 1, Infinity, 0, 0], 0, 0.5).radius).toBe(0.5);
    expect(extentOf([Number.NaN, 0, 0], 0, 0.5).centre.toArray()).toEqual([0, 0, 0]);
  });
});

describe("rolloutExtent and groundGeoms", () => {
  const log = makeRollout({ frames: 2 });
  const ground: Geom = { name: "ground", type: "plane", size: [3, 3], material: { rgba: [1, 1, 1, 1] }, body: 0 };
  /** The same with a ground plane 0.6 m below, first in the list. */
  const grounded = {
    ...log,
    frames: 1,
    scene: { ...log.scene, geoms: [ground, ...log.scene.geoms] },
    geomPoses: Float32Array.of(0, 0, -0.6, 0, 0, 0, 1, ...log.geomPoses.subarray(0, 7 * log.scene.geoms.length)),
  };

  it("puts the page's floor under the table, not on the ground far below", () => {
    expect(rolloutExtent(log).floor).toBeCloseTo(-0.04, 5);
    expect(rolloutExtent(grounded).floor).toBeCloseTo(-0.04, 5);
  });

  it("hides the ground only where a table stands on it", () => {
    expect(groundGeoms(grounded)).toEqual([0]);
    expect(groundGeoms(log)).toEqual([]);
    const alone = {
      ...grounded,
      scene: { ...log.scene, geoms: [ground] },
      geomPoses: grounded.geomPoses.subarray(0, 7),
    };
    expect(groundGeoms(alone)).toEqual([]);
    expect(rolloutExtent(alone).floor).toBeCloseTo(-0.6, 5);
  });
});

describe("outlookFrom", () => {
  it("keeps the camera's side between 25 and 55 degrees", () => {
    expect(outlookFrom(new Vector3(0, -1, 0.1), new Vector3()).z).toBeCloseTo(Math.sin(0.44), 6);
    expect(outlookFrom(new Vector3(0, -0.1, 1), new Vector3()).z).toBeCloseTo(Math.sin(0.96), 6);
    expect(outlookFrom(new Vector3(0, -1, 0.7), new Vector3()).x).toBeCloseTo(0, 6);
  });
});
