import { describe, expect, it } from "@jest/globals";
import { cameraName, findEffector, findMove, findPath, makeArrows, toSeries } from "#sim-viewer/src/episode/signals.ts";
import type { Geom, Scene } from "#world/scene/scene.ts";

const geom = (name: string, body = 1): Geom => ({
  name,
  type: "sphere",
  size: [0.01],
  material: { rgba: [1, 1, 1, 1] },
  body,
});
const sceneOf = (...geoms: Geom[]): Scene => ({
  geoms,
  cameras: [],
  lights: [],
  ambient: 0.5,
  background: [0, 0, 0],
});

describe("findEffector", () => {
  it("takes the most telling name, not the first geom", () => {
    expect(findEffector(sceneOf(geom("left finger"), geom("tool flange"), geom("link 3")))).toBe(1);
    expect(findEffector(sceneOf(geom("table", 0), geom("rod cap"), geom("Rod")))).toBe(2);
  });

  it("never takes a geom of the world, nor one whose name does not tell", () => {
    expect(findEffector(sceneOf(geom("gripper stand", 0), geom("link 1")))).toBe(-1);
  });
});

describe("findMove", () => {
  it.each([
    [["dx", "dy"], { columns: [0, 1, -1], kind: "delta" }],
    [["gripper", "ee.dx", "ee.dy", "ee.dz"], { columns: [1, 2, 3], kind: "delta" }],
    [["delta_x", "delta_y"], { columns: [0, 1, -1], kind: "unknown" }],
    [["vx", "vy", "wz"], { columns: [0, 1, -1], kind: "velocity" }],
    [["x", "y", "z", "roll"], { columns: [0, 1, 2], kind: "unknown" }],
  ] as const)("reads %p", (names, move) => {
    expect(findMove(names)).toEqual(move);
  });

  it.each([[["joint_0", "joint_1"]], [["dx", "grip"]], [[]]])("finds none in %p", (names) => {
    expect(findMove(names)).toBeNull();
  });
});

describe("findPath", () => {
  it("takes positions of a state and leaves commands alone", () => {
    const rows = [1, 2, 3, 4, 5, 6];
    const action = toSeries("action", ["x", "y", "z"], [9, 9, 9, 9, 9, 9]);
    const state = toSeries("observation.state", ["x", "y", "z"], rows);
    const path = findPath([action, state]);
    expect(path?.name).toBe("observation.state");
    expect([...path!.positions]).toEqual(rows);
    expect(findPath([action])).toBeNull();
  });
});

describe("toSeries", () => {
  it("turns rows into columns, with null for what JSON cannot carry", () => {
    const rows = Float64Array.of(1, 2, Number.NaN, 4, 5, Number.POSITIVE_INFINITY);
    expect(toSeries("state", ["a", "b"], rows).values).toEqual([
      [1, null, 5],
      [2, 4, null],
    ]);
  });
});

describe("makeArrows", () => {
  it("draws the longest move with 0.16 m and the others in proportion", () => {
    const arrowAt = makeArrows(Float32Array.of(0.3, 0.4, 7, 0.15, 0.2, 7), 3, [0, 1, -1]);
    expect([...arrowAt(0)]).toBeAllClose([0.096, 0.128, 0], { absolute: 1e-6 });
    expect([...arrowAt(1)]).toBeAllClose([0.048, 0.064, 0], { absolute: 1e-6 });
  });

  it("stays at the last action behind the end and is nothing where nothing moves", () => {
    expect([...makeArrows(Float32Array.of(0, 0), 2, [0, 1, -1])(5)]).toEqual([0, 0, 0]);
  });
});

describe("cameraName", () => {
  it("drops LeRobot's prefix", () => {
    expect(cameraName("observation.images.front")).toBe("front");
    expect(cameraName("front")).toBe("front");
  });
});
