import { afterAll, describe, expect, it } from "@jest/globals";
import { branchWorld, createWorld, drawInstance, findSuite, pickPlacePresets, pushPresets } from "#world/index.ts";

const world = await createWorld({ size: 8 });
afterAll(() => world.close());

describe("branchWorld", () => {
  it("plays equal continuations for equal actions and others for others, and leaves the world where it was", async () => {
    world.start(drawInstance({ suite: pushPresets.demo, embodiment: "pusher", split: "train", seed: 1 }));
    for (let step = 0; step < 4; step++) world.advance(Float32Array.of(0.01, 0.01));
    const snapshot = world.snapshot();
    const calls: string[] = [];
    const found = await branchWorld(world, snapshot, {
      branches: 4,
      horizon: 6,
      act: ({ branch, step }) => {
        calls.push(`${branch}.${step}`);
        return branch % 2 === 0 ? Float32Array.of(0.02, 0) : Float32Array.of(-0.02, 0.01);
      },
    });
    expect(calls.slice(5, 8)).toEqual(["0.5", "1.0", "1.1"]);
    expect(found.map(({ steps }) => steps)).toEqual([6, 6, 6, 6]);
    expect(found[2]!.end.state).toEqual(found[0]!.end.state);
    expect(found[3]!.end.state).toEqual(found[1]!.end.state);
    expect(found[1]!.end.state).not.toEqual(found[0]!.end.state);
    expect(world.snapshot()).toEqual(snapshot);
  });

  it("stops at success, and its end can be gone on from", async () => {
    const instance = drawInstance({ suite: pickPlacePresets.simpler, embodiment: "widowx", split: "train", seed: 2 });
    world.start(instance);
    const start = world.snapshot();
    const expert = findSuite("pick-place").expert(instance, "branch");
    const [solved, idle] = await branchWorld(world, start, {
      branches: 2,
      horizon: 60,
      act: ({ branch, world: now }) => {
        if (branch === 1) return new Float32Array(7);
        return expert.act(now.truth());
      },
    });
    expect(solved).toMatchObject({ done: true, success: true, reasons: [] });
    expect(solved!.steps).toBeLessThan(60);
    expect(idle).toMatchObject({ done: true, success: false, steps: 60 });
    expect(idle!.reasons.length).toBeGreaterThan(0);
    world.restore(solved!.end);
    expect(world.verdict().success).toBe(true);
  });
});
