/** @file What the experts solve: every kind of task with every body, shifted suites, and after a mistake of their own. */
import { describe, expect, it } from "@jest/globals";
import {
  chooseSuite,
  createWorld,
  drawInstance,
  drawInstances,
  evaluateExpert,
  findSuite,
  perturbationNames,
  simulateEpisodes,
  summariseRollouts,
} from "#world/index.ts";
import { kindsOf, onlyKind } from "./only-kind.ts";

const bodies = { push: ["pusher", "arm", "hand"], "pick-place": ["widowx", "panda", "hand"] } as const;
const robots = { push: "arm", "pick-place": "widowx" } as const;
const suites = ["push", "pick-place"] as const;
const count = 60;

const kindCells = suites.flatMap((suite) =>
  kindsOf[suite].flatMap((kind) => bodies[suite].map((body) => [suite, kind, body] as const)),
);
const shiftCells = suites.flatMap((suite) => perturbationNames.map((name) => [suite, name] as const));

describe("The scripted expert", () => {
  it.each(kindCells)("of %s solves at least 95 %% of %s with a %s", async (suite, kind, embodiment) => {
    const request = { suite: onlyKind(suite, kind), embodiment, seed: 31, count };
    const results = await evaluateExpert({ instances: drawInstances({ ...request, split: "seen" }) });
    const { success, perTask, unstable } = summariseRollouts(results);
    expect(Object.keys(perTask)).toEqual([kind]);
    expect(unstable).toBe(0);
    expect(success.rate).toBeGreaterThanOrEqual(0.95);
  });

  it.each(shiftCells)("of %s still solves at least 85 %% under the shift `%s`", async (suite, perturbation) => {
    const request = { suite: chooseSuite({ suite, perturbation }), embodiment: robots[suite], seed: 32, count };
    const results = await evaluateExpert({ instances: drawInstances({ ...request, split: "seen" }) });
    const { success, unstable } = summariseRollouts(results);
    expect(unstable).toBe(0);
    expect(success.rate).toBeGreaterThanOrEqual(0.85);
  });

  it.each(suites)("of %s mends its mistakes, which cost it time", async (suite) => {
    const play = async (mistakes: number) => {
      const played = { successes: 0, frames: 0 };
      const episodes = simulateEpisodes({
        ...{ suite: chooseSuite({ suite }), embodiment: robots[suite], episodes: 40, seed: 5, size: 8 },
        ...{ onlySuccesses: false, mistakes },
      });
      for await (const { success, length } of episodes) {
        played.successes += success ? 1 : 0;
        played.frames += length;
      }
      return played;
    };
    const [clean, clumsy] = [await play(0), await play(1)];
    expect(clumsy.successes).toBeGreaterThanOrEqual(36);
    expect(clumsy.frames).toBeGreaterThan(1.1 * clean.frames);
  });

  it.each(suites)("of %s does one task in many ways", async (suite) => {
    const world = await createWorld({ size: 8 });
    const instance = drawInstance({
      ...{ suite: chooseSuite({ suite }), embodiment: robots[suite], split: "seen", seed: 3 },
    });
    const play = (seed: number) => {
      const expert = findSuite(suite).expert(instance, seed);
      world.start(instance);
      while (!world.progress.done) world.advanceTool(expert.act(world.truth()));
      return { success: world.progress.success, actions: [...world.log("expert").actions] };
    };
    const ways = Array.from({ length: 8 }, (_, seed) => play(seed));
    expect(ways.filter(({ success }) => success).length).toBeGreaterThanOrEqual(7);
    expect(new Set(ways.map(({ actions }) => actions.join())).size).toBe(8);
    expect(new Set(ways.map(({ actions }) => actions.length)).size).toBeGreaterThan(1);
    expect(play(0)).toEqual(ways[0]);
    world.close();
  });
});
