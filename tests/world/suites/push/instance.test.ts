import { describe, expect, it } from "@jest/globals";
import { contentHash } from "#world/instance-hash.ts";
import { relativePlace, shortfall } from "#world/suites/push/condition.ts";
import { parsePushConfig } from "#world/suites/push/config.ts";
import type { PushGoal } from "#world/suites/push/goal.ts";
import { generatePushInstance } from "#world/suites/push/instance.ts";
import { distance, type Point } from "#world/suites/push/plane.ts";
import { pushPresets } from "#world/suites/push/presets.ts";
import { pushers } from "#world/suites/push/suite.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";

const pusher = pushers.pusher!;
const config = pushPresets["language-table"];
const draw = (seed: number, suite = config, embodiment = pusher) =>
  generatePushInstance(suite, embodiment, "train", seed);

describe("generatePushInstance", () => {
  it("draws the same task for the same seed and another one for another", () => {
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5).hash).not.toBe(draw(6).hash);
  });

  it("hashes what decides the episode and nothing else", () => {
    const { hash, split: _, seed: __, ...content } = draw(5);
    expect(hash).toBe(contentHash(content));
  });

  it("survives JSON", () => {
    expect(JSON.parse(JSON.stringify(draw(3)))).toEqual(draw(3));
  });

  it("starts with room between things, everything on the table and the task not done", () => {
    for (const suite of [config, pushPresets["language-table-8"]]) {
      for (let seed = 0; seed < 60; seed++) {
        const instance = draw(seed, suite);
        const goal = instance.goal as PushGoal;
        const { objects, tip: start } = instance.initial as TabletopInitial;
        const tip: Point = [start[0]!, start[1]!];
        const blocks = objects.map(({ id, position: [x, y] }) => ({ id, position: [x, y] as Point }));
        const centres = Object.fromEntries(blocks.map(({ id, position }) => [id, position]));
        for (const [index, a] of blocks.entries()) {
          expect(Math.max(...a.position.map(Math.abs))).toBeLessThanOrEqual(0.21);
          expect(distance(a.position, tip)).toBeGreaterThan(0.06);
          for (const b of blocks.slice(index + 1)) expect(distance(a.position, b.position)).toBeGreaterThan(0.077);
        }
        const truth = { tip, blocks: centres };
        expect(shortfall(goal, truth, truth)).not.toBeNull();
        if (goal.kind === "block-to-relative-place") {
          const place = relativePlace(goal, centres[goal.reference!]!);
          expect(Math.max(...place.map(Math.abs))).toBeLessThanOrEqual(0.26);
        }
      }
    }
  });

  it("asks only what the configuration offers", () => {
    const instructions = new Set(Array.from({ length: 60 }, (_, seed) => draw(seed, pushPresets.demo).instruction));
    expect([...instructions].sort()).toEqual([
      "move to the red block",
      "push the red block to the blue block",
      "push the red block to the left edge",
    ]);
  });

  it("draws kinds in the asked proportions", () => {
    const count = 400;
    const kinds = Array.from({ length: count }, (_, seed) => draw(seed, pushPresets.demo).task);
    const share = (kind: string) => kinds.filter((task) => task === kind).length / count;
    // Three standard deviations of a share of 0.2 and 0.4 of 400.
    expect(Math.abs(share("reach") - 0.2)).toBeLessThan(0.06);
    expect(Math.abs(share("block-to-place") - 0.4)).toBeLessThan(0.075);
  });

  it("dresses bodies differently and trembles only for hands", () => {
    const initial = (embodiment: string) => draw(2, config, pushers[embodiment]).initial as TabletopInitial;
    expect(initial("pusher").camera.shake).toBeUndefined();
    expect(initial("hand").camera.shake?.positionM).toBeGreaterThan(0);
    expect(initial("hand").looks.materials.palm).toBeDefined();
    expect(initial("arm").looks.materials["upper arm"]).toBeDefined();
  });

  it("looks the same in every episode at level none", () => {
    const plain = parsePushConfig({ looks: "none" });
    const looks = (seed: number) => (draw(seed, plain).initial as TabletopInitial).looks;
    expect(looks(1)).toEqual(looks(2));
    const high = parsePushConfig({ looks: "high" });
    expect((draw(1, high).initial as TabletopInitial).looks).not.toEqual(
      (draw(2, high).initial as TabletopInitial).looks,
    );
  });
});
