import { describe, expect, it } from "@jest/globals";
import {
  drawInstances,
  evaluateExpert,
  evaluatePolicy,
  findEmbodiment,
  type PickPlacePresetName,
  pickPlacePresets,
  randomPolicy,
  type Split,
  summariseRollouts,
} from "#world/index.ts";

const bodies = ["widowx", "panda", "hand"];
const presets = Object.keys(pickPlacePresets) as PickPlacePresetName[];
const cells = presets.flatMap((preset) => bodies.map((embodiment) => [preset, embodiment] as const));
const splits: Readonly<Record<PickPlacePresetName, readonly Split[]>> = {
  simpler: ["seen", "unseen-objects"],
  "pick-place": ["seen", "unseen-objects", "unseen-phrasing", "unseen"],
};

describe("the scripted expert", () => {
  it.each(cells)("solves at least 95 %% of %s with a %s", async (preset, embodiment) => {
    const suite = pickPlacePresets[preset];
    const instances = splits[preset].flatMap((split) =>
      drawInstances({ suite, embodiment, split, seed: 2024, count: 120 / splits[preset].length }),
    );
    const { success, unstable } = summariseRollouts(await evaluateExpert({ instances }));
    expect(unstable).toBe(0);
    expect(success.rate).toBeGreaterThanOrEqual(0.95);
  });
});

describe("the suite's difficulty", () => {
  it("leaves next to nothing to chance", async () => {
    const instances = drawInstances({
      suite: pickPlacePresets.simpler,
      embodiment: "widowx",
      split: "seen",
      seed: 1,
      count: 40,
    });
    const { space } = findEmbodiment("widowx", "pick-place");
    const { success } = summariseRollouts(
      await evaluatePolicy({ instances, policy: randomPolicy({ space, seed: 1 }) }),
    );
    expect(success.rate).toBeLessThan(0.1);
  });
});
