import { describe, expect, it } from "@jest/globals";
import {
  drawInstance,
  type PerturbationName,
  perturb,
  perturbationNames,
  pickPlacePresets,
  pushPresets,
} from "#world/index.ts";
import type { TabletopInitial } from "#world/tabletop/initial.ts";

const suites = [
  ["push", pushPresets["language-table"], "pusher"],
  ["pick-place", pickPlacePresets["pick-place"], "widowx"],
] as const;

describe.each(suites)("perturbations of %s", (_, suite, embodiment) => {
  const draw = (name: PerturbationName, seed: number) =>
    drawInstance({ suite: perturb(suite, name), embodiment, split: "seen", seed });
  const initial = (name: PerturbationName, seed: number) => draw(name, seed).initial as TabletopInitial;
  const seeds = Array.from({ length: 12 }, (_item, seed) => seed);

  it("change what they are called after and nothing else", () => {
    for (const seed of seeds) {
      const { camera, looks, dynamics, nudges, ...rest } = initial("none", seed);
      expect(initial("camera", seed)).toEqual({ ...rest, looks, dynamics, nudges, camera: expect.anything() });
      const relit = initial("looks", seed);
      expect({ ...relit, variant: rest.variant }).toEqual({
        ...rest,
        camera,
        dynamics,
        nudges,
        looks: expect.anything(),
      });
      expect(initial("dynamics", seed)).toEqual({ ...rest, camera, looks, nudges, dynamics: expect.anything() });
      expect(initial("nudges", seed)).toEqual({ ...rest, camera, looks, dynamics, nudges: expect.anything() });
    }
  });

  it("keep task and instruction, seed by seed", () => {
    for (const seed of seeds) {
      for (const name of perturbationNames.filter((candidate) => candidate !== "clutter" && candidate !== "hard")) {
        expect(draw(name, seed).instruction).toBe(draw("none", seed).instruction);
      }
    }
  });

  it("really perturb", () => {
    const differ = (name: PerturbationName, part: (from: TabletopInitial) => unknown) =>
      seeds.filter((seed) => JSON.stringify(part(initial(name, seed))) !== JSON.stringify(part(initial("none", seed))))
        .length;
    expect(differ("camera", ({ camera }) => camera.position)).toBe(12);
    expect(differ("looks", ({ looks }) => looks)).toBe(12);
    expect(differ("dynamics", ({ dynamics }) => dynamics)).toBe(12);
    const bumped = seeds.filter((seed) => initial("nudges", seed).nudges.length === 1).length;
    expect(bumped).toBeGreaterThanOrEqual(suite.suite === "push" ? 12 : 6);
    const things = (name: PerturbationName) => Math.max(...seeds.map((seed) => initial(name, seed).objects.length));
    expect(things("clutter")).toBeGreaterThan(things("none"));
    const hard = initial("hard", 1);
    expect(hard.objects.length).toBe(things("clutter") - (hard.objects.some(({ id }) => id === "cabinet") ? 1 : 0));
    expect(hard.dynamics).not.toEqual({ friction: 1, mass: 1 });
  });

  it("draw friction and mass within their factors, up as often as down", () => {
    const drawn = Array.from({ length: 200 }, (_item, seed) => initial("dynamics", seed).dynamics);
    expect(drawn.every(({ friction, mass }) => friction >= 0.5 && friction <= 2 && mass >= 0.4 && mass <= 2.5)).toBe(
      true,
    );
    const heavier = drawn.filter(({ mass }) => mass > 1).length;
    expect(heavier).toBeGreaterThan(70);
    expect(heavier).toBeLessThan(130);
  });
});

describe("perturb", () => {
  it("names what there is", () => {
    expect(() => perturb(pushPresets.demo, "storm" as never)).toThrow(
      'perturbation: must be one of none, camera, looks, dynamics, nudges, clutter, hard, got "storm"',
    );
  });
});
