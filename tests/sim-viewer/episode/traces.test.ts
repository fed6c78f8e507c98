import { describe, expect, it } from "@jest/globals";
import { chunkAt, halfHeight, pathBetween, rolloutTraces } from "#sim-viewer/src/episode/traces.ts";
import { makeRollout } from "../make-rollout.ts";

/** A straight way along x: 0, 1, 2, 3 metres. */
const line = Float32Array.of(0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0);
const at = (frame: number, fraction = 0) => ({ frame, fraction });

function cut(from: ReturnType<typeof at>, to: ReturnType<typeof at>): number[] {
  const out = new Float32Array(3 * 6).fill(99);
  const count = pathBetween(line, from, to, out);
  return Array.from({ length: count }, (_, point) => out[3 * point]!);
}

describe("pathBetween", () => {
  it.each([
    ["from frame to frame", at(0), at(2), [0, 1, 2]],
    ["between two interpolated ends", at(0, 0.5), at(2, 0.25), [0.5, 1, 2, 2.25]],
    ["inside one interval", at(1, 0.25), at(1, 0.75), [1.25, 1.75]],
    ["to the end at most", at(2), at(40), [2, 3, 3]],
  ])("cuts %s", (_, from, to, expected) => {
    expect(cut(from, to)).toBeAllClose(expected);
  });
});

describe("chunkAt", () => {
  const chunks = { length: 2, frames: Int32Array.of(2, 5, 9), actions: new Float32Array(12) };
  it.each([
    [0, -1],
    [2, 0],
    [4, 0],
    [5, 1],
    [100, 2],
  ])("finds the newest chunk of frame %p", (frame, chunk) => {
    expect(chunkAt(chunks, frame)).toBe(chunk);
  });
});

describe("rolloutTraces", () => {
  const log = makeRollout({ frames: 4 });
  const rod = log.scene.geoms.findIndex(({ name }) => name === "rod");
  const place = (frame: number) => log.geomPoses.subarray((frame * log.scene.geoms.length + rod) * 7).subarray(0, 3);

  it("follows the lower end of a rod that moves in the plane", () => {
    const traces = rolloutTraces(log)!;
    const [x, y, z] = place(2);
    expect([...traces.positions.subarray(6, 9)]).toBeAllClose([x!, y!, z! - 0.05], { absolute: 1e-6 });
  });

  it("follows the centre of a tool that moves in space", () => {
    const spatial = { ...log, actionNames: ["dx", "dy", "dz"], actions: new Float32Array(12) };
    expect([...rolloutTraces(spatial)!.positions.subarray(0, 3)]).toBeAllClose([...place(0)]);
  });

  it("sums the deltas of the newest chunk from where the effector was when it was asked for", () => {
    const chunks = { length: 2, frames: Int32Array.of(0, 2), actions: Float32Array.of(1, 2, 3, 4, 0.1, 0.2, 0.3, 0.4) };
    const traces = rolloutTraces({ ...log, chunks })!;
    const start = [...traces.positions.subarray(6, 9)] as [number, number, number];
    const [x, y, z] = start;
    expect(traces.hasPredictions).toBe(true);
    expect([...traces.predicted(3)!]).toBeAllClose([...start, x + 0.1, y + 0.2, z, x + 0.4, y + 0.6, z], {
      absolute: 1e-6,
    });
    expect(traces.predicted(1)![3]).toBeCloseTo(traces.positions[0]! + 1, 5);
  });

  it("turns velocities into metres by the rate", () => {
    const chunks = { length: 1, frames: Int32Array.of(0), actions: Float32Array.of(2, 0) };
    const traces = rolloutTraces({ ...log, actionNames: ["vx", "vy"], chunks })!;
    expect(traces.predicted(0)![3]).toBeCloseTo(traces.positions[0]! + 0.2, 5);
  });

  it("predicts no path from joint actions, bare coordinates or without chunks", () => {
    const chunks = { length: 1, frames: Int32Array.of(0), actions: Float32Array.of(2, 0) };
    expect(rolloutTraces({ ...log, actionNames: ["x", "y"], chunks })!.predicted(0)).toBeNull();
    expect(rolloutTraces({ ...log, actionNames: ["joint 1", "joint 2"], chunks })!.hasPredictions).toBe(false);
    expect(rolloutTraces(log)!.predicted(0)).toBeNull();
  });

  it("is nothing where no name gives the effector away", () => {
    const geoms = log.scene.geoms.map((geom, index) => ({ ...geom, name: `geom ${index}` }));
    expect(rolloutTraces({ ...log, scene: { ...log.scene, geoms } })).toBeNull();
  });
});

describe("halfHeight", () => {
  it.each([
    ["box", [1, 2, 3], 3],
    ["capsule", [1, 2], 3],
    ["cylinder", [1, 2], 2],
    ["sphere", [1], 1],
    ["plane", [1, 1], 0],
  ] as const)("of a %s is read from its sizes", (type, size, expected) => {
    const geom = { name: "", type, size: [...size], material: { rgba: [1, 1, 1, 1] as const }, body: 1 };
    expect(halfHeight(geom)).toBe(expected);
  });
});
