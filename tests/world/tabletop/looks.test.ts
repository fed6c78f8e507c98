import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { findEmbodiment } from "#world/suites/index.ts";
import { drawLooks, type Level } from "#world/tabletop/looks.ts";

const pusher = findEmbodiment("pusher");
const looksAt = (level: Level) =>
  Array.from({ length: 200 }, (_, seed) => drawLooks(pusher, {}, level, createRng(seed)));

describe("drawLooks", () => {
  it("lights every table from above with unit directions", () => {
    for (const { lights } of looksAt("high")) {
      for (const { direction } of lights) {
        expect(Math.hypot(...direction)).toBeCloseTo(1, 12);
        expect(direction[2]).toBeLessThan(-0.2);
      }
    }
  });

  it("has a second lamp in about half of the episodes at level high alone", () => {
    const twoLights = (level: Level) => looksAt(level).filter(({ lights }) => lights.length === 2).length;
    expect([twoLights("none"), twoLights("low")]).toEqual([0, 0]);
    expect(twoLights("high")).toBeGreaterThan(70);
    expect(twoLights("high")).toBeLessThan(130);
  });
});
