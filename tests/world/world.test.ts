import { afterAll, describe, expect, it } from "@jest/globals";
import type { TaskInstance } from "#core/contracts/world.ts";
import { createWorld, drawInstance, pickPlacePresets, pushPresets } from "#world/index.ts";
import { replayRollout } from "#world/replay.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";

const world = await createWorld({ size: 16 });
afterAll(() => world.close());

const draw = (embodiment: string, seed: number): TaskInstance =>
  drawInstance({ suite: pushPresets["language-table"], embodiment, split: "train", seed });
const drawPick = (embodiment: string, seed: number): TaskInstance =>
  drawInstance({ suite: pickPlacePresets["pick-place"], embodiment, split: "train", seed });
const push = Float32Array.of(0.02, -0.01);

describe("SimulatedWorld", () => {
  it("observes pictures, state, instruction and time", () => {
    const instance = draw("pusher", 1);
    const first = world.reset(instance);
    expect(first.images.front).toMatchObject({ height: 16, width: 16 });
    expect(first.images.front!.data.length).toBe(16 * 16 * 3);
    expect(first.state!.length).toBe(2);
    expect(first.instruction).toBe(instance.instruction);
    expect(first.stampNs).toBe(0n);
    expect(world.step(push).observation.stampNs).toBe(100_000_000n);
  });

  it("ends at the time limit and then stays as it is", () => {
    world.start(draw("pusher", 2));
    for (let step = 0; step < 59; step++) expect(world.advance(new Float32Array(2)).done).toBe(false);
    expect(world.advance(new Float32Array(2))).toEqual({ done: true, success: false, unstable: false });
    const state = world.snapshot().state;
    world.advance(push);
    expect(world.snapshot().state).toEqual(state);
    expect(world.stepsTaken).toBe(60);
  });

  it.each(["pusher", "arm", "hand"])("of a %s goes on from a snapshot to the last bit the same", (embodiment) => {
    world.start(draw(embodiment, 3));
    for (let step = 0; step < 5; step++) world.advance(push);
    const saved = world.snapshot();
    const run = () => {
      for (let step = 0; step < 10; step++) world.advance(Float32Array.of(-0.02, 0.015));
      return {
        digest: world.log("test").stateDigest,
        poses: world.log("test").geomPoses,
        picture: world.observe().images.front!.data,
      };
    };
    const first = run();
    world.restore(saved);
    expect(world.snapshot()).toEqual(saved);
    expect(run()).toEqual(first);
  });

  it.each(["widowx", "panda", "hand"])("of a gripping %s goes on from a snapshot the same", (embodiment) => {
    world.start(drawPick(embodiment, 3));
    const down = Float32Array.of(0.01, 0.005, -0.03, 0, 0, 0.1, 0.6);
    for (let step = 0; step < 3; step++) world.advance(down);
    const saved = world.snapshot();
    const run = () => {
      for (let step = 0; step < 5; step++) world.advance(down);
      return world.log("test").stateDigest;
    };
    const first = run();
    world.restore(saved);
    expect(run()).toBe(first);
  });

  it("shows what cameras on the robot see, where it has them", () => {
    world.start(drawPick("widowx", 1));
    expect(world.render(20, "wrist").data).not.toEqual(world.render(20).data);
    world.start(drawPick("hand", 1));
    expect(() => world.render(20, "wrist")).toThrow('camera: must be one of front with embodiment "hand", got "wrist"');
  });

  it("bumps things when the instance says so, the same in every replay", async () => {
    const suite = { ...pushPresets["language-table"], nudges: 1 };
    const instance = drawInstance({ suite, embodiment: "pusher", split: "train", seed: 2 });
    const [nudge] = (instance.initial as TabletopInitial).nudges;
    world.start(instance);
    const places = Array.from({ length: 30 }, () => {
      const at = world.truth().blocks[nudge!.object]!;
      world.advance(new Float32Array(2));
      return at;
    });
    const moved = (from: number, to: number) =>
      Math.hypot(places[to]![0] - places[from]![0], places[to]![1] - places[from]![1]);
    expect(moved(0, nudge!.step)).toBeLessThan(1e-3);
    expect(moved(nudge!.step, nudge!.step + 6)).toBeGreaterThan(0.02);
    expect((await replayRollout(world.log("test"))).isExact).toBe(true);
  });

  it("lets nothing of one episode reach the next", () => {
    const instance = draw("hand", 4);
    const run = () => {
      world.start(instance);
      for (let step = 0; step < 8; step++) world.advance(push);
      return { log: world.log("test"), picture: world.observe().images.front!.data };
    };
    const first = run();
    for (const [embodiment, seed] of [
      ["arm", 5],
      ["pusher", 6],
      ["hand", 7],
    ] as const) {
      world.start(draw(embodiment, seed));
      world.advance(push);
    }
    expect(run()).toEqual(first);
  });

  it("restores only into the instance that was saved", () => {
    world.start(draw("pusher", 1));
    const saved = world.snapshot();
    world.start(draw("pusher", 2));
    expect(() => world.restore(saved)).toThrow("only into the instance it was taken of");
  });

  it("logs actions as they were clipped", () => {
    world.start(draw("pusher", 1));
    world.advance(Float32Array.of(1, Number.NaN));
    const { actions, controls, frames } = world.log("test");
    expect(frames).toBe(2);
    expect([...actions]).toEqual([Math.fround(0.03), 0, 0, 0]);
    expect(controls.length).toBe(2);
  });

  it("marks an episode whose physics broke as unstable, never as solved", () => {
    const instance = draw("pusher", 8);
    const initial = instance.initial as TabletopInitial;
    const [first, ...others] = initial.objects;
    const broken = { ...initial, objects: [{ ...first!, position: [Number.NaN, 0, 0.02] as const }, ...others] };
    world.start({ ...instance, hash: "broken", initial: broken });
    expect(world.advance(push)).toEqual({ done: true, success: false, unstable: true });
  });

  it("says which suite, body or block it does not know", () => {
    const instance = draw("pusher", 1);
    expect(() => world.start({ ...instance, suite: "juggle" })).toThrow(
      'suite: must be one of push, pick-place, got "juggle"',
    );
    expect(() => world.start({ ...instance, embodiment: "crane" })).toThrow('got "crane"');
    const initial = instance.initial as TabletopInitial;
    const strange = { ...initial, objects: [{ ...initial.objects[0]!, id: "pink-cone" }] };
    expect(() => world.start({ ...instance, initial: strange })).toThrow('blocks must be known, got "pink-cone"');
  });

  it("draws at other sizes without touching its own", () => {
    world.reset(draw("pusher", 1));
    const small = world.observe().images.front!.data;
    expect(world.render(40)).toMatchObject({ height: 40, width: 40 });
    expect(world.observe().images.front!.data).toEqual(small);
    expect(world.rendererId).toContain("armature-raster");
  });
});
