import { describe, expect, it } from "@jest/globals";
import { Box3, PerspectiveCamera, Vector3 } from "three";
import { fitView, groundGeoms, outlookFrom, pathExtent, rolloutExtent } from "#sim-viewer/src/three/extent.ts";
import type { Geom } from "#world/scene/scene.ts";
import { makeRollout } from "../make-rollout.ts";

describe("pathExtent", () => {
  it("is the box around all points", () => {
    const { centre, radius, floor } = pathExtent(Float32Array.of(0, 0, -1, 2, 0, -1), 0.1);
    expect([centre.toArray(), radius, floor]).toEqual([[1, 0, -1], 1, -1]);
  });

  it("leaves out points that are no numbers and is never empty", () => {
    const broken = pathExtent(Float32Array.of(1, 1, 1, Number.NaN, 1, 1, Infinity, 0, 0), 0.5);
    expect([broken.radius, broken.centre.toArray()]).toEqual([0.5, [1, 1, 1]]);
    const none = pathExtent(Float32Array.of(Number.NaN, 0, 0), 0.5);
    expect([none.radius, none.floor, none.points.length]).toEqual([0.5, 0, 8]);
  });
});

describe("rolloutExtent and groundGeoms", () => {
  const log = makeRollout({ frames: 2 });
  const plain = { rgba: [1, 1, 1, 1] as const };
  const ground: Geom = { name: "ground", type: "plane", size: [3, 3], material: plain, body: 0 };
  const wall: Geom = { name: "wall", type: "box", size: [3, 0.1, 2], material: plain, body: 0 };
  const first = log.geomPoses.subarray(0, 7 * log.scene.geoms.length);
  const withGeom = (geom: Geom, x: number, z: number) => ({
    ...log,
    frames: 1,
    scene: { ...log.scene, geoms: [geom, ...log.scene.geoms] },
    geomPoses: Float32Array.of(x, 0, z, 0, 0, 0, 1, ...first),
  });
  const grounded = withGeom(ground, 0, -0.6);

  it("holds the table and what stands on it", () => {
    const box = new Box3().setFromPoints([...rolloutExtent(log).points]);
    expect([box.min.x, box.max.y, box.max.z]).toBeAllClose([-0.3, 0.25, 0.131], { absolute: 1e-3 });
  });

  it("puts the page's floor under the table, not on the ground far below", () => {
    expect(rolloutExtent(log).floor).toBeCloseTo(-0.04, 5);
    expect(rolloutExtent(grounded).floor).toBeCloseTo(-0.04, 5);
  });

  it("does not step back for a wall, nor for a geom whose pose is broken", () => {
    expect(rolloutExtent(withGeom(wall, 0, 0)).radius).toBe(rolloutExtent(log).radius);
    expect(rolloutExtent(withGeom({ ...wall, body: 1 }, Number.NaN, 0)).radius).toBe(rolloutExtent(log).radius);
    expect(rolloutExtent(withGeom({ ...wall, body: 1 }, 0, 0)).radius).toBeGreaterThan(3);
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
  it("keeps the camera's side between 25 and 40 degrees, turned by 0.3 rad", () => {
    expect(outlookFrom(new Vector3(0, -1, 0.1), new Vector3()).z).toBeCloseTo(Math.sin(0.44), 6);
    expect(outlookFrom(new Vector3(0, -0.1, 1), new Vector3()).z).toBeCloseTo(Math.sin(0.7), 6);
    const { x, y } = outlookFrom(new Vector3(0, -1, 0.5), new Vector3());
    expect(Math.atan2(y, x)).toBeCloseTo(-Math.PI / 2 + 0.3, 6);
  });
});

describe("fitView", () => {
  it.each([
    [1.5, new Vector3(0, -0.8, 0.6)],
    [0.5, new Vector3(0.6, 0, 0.8)],
  ])("fills a picture %p times as wide as high with all points, in its middle", (aspect, outlook) => {
    const points = [
      [-0.4, -0.3, 0],
      [0.4, 0.3, 0],
      [0.3, -0.3, 0],
      [0.1, 0.2, 0.7],
    ].map(([x, y, z]) => new Vector3(x, y, z));
    const centre = new Box3().setFromPoints(points).getCenter(new Vector3());
    const camera = new PerspectiveCamera(40, aspect, 0.01, 50);
    const up = Math.tan((20 * Math.PI) / 180);
    const { aim, distance } = fitView({ points, centre, radius: 1, floor: 0, fill: 1 }, outlook, [up * aspect, up]);
    camera.up.set(0, 0, 1);
    camera.position.copy(aim).addScaledVector(outlook, distance);
    camera.lookAt(aim);
    camera.updateMatrixWorld();
    const seen = points.map((point) => point.clone().project(camera));
    const [xs, ys] = [seen.map(({ x }) => x), seen.map(({ y }) => y)];
    expect(Math.max(...xs.map(Math.abs), ...ys.map(Math.abs))).toBeCloseTo(1, 5);
    expect(Math.min(...xs) + Math.max(...xs)).toBeCloseTo(0, 1);
    expect(Math.min(...ys) + Math.max(...ys)).toBeCloseTo(0, 1);
  });
});
