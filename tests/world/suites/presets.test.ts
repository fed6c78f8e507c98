import { describe, expect, it } from "@jest/globals";
import { chooseSuite, findSuite, pushPresets, suitePresetNames, suitePresets } from "#world/index.ts";

describe("suitePresets", () => {
  it("has a name for all that each suite asks", () => {
    expect(suitePresets.push).toBe(pushPresets["language-table"]);
    expect(suitePresets["pick-place"].suite).toBe("pick-place");
    for (const name of suitePresetNames) expect(findSuite(suitePresets[name].suite).id).toBe(suitePresets[name].suite);
  });
});

describe("chooseSuite", () => {
  it("changes what it is told to and shifts the rest", () => {
    const chosen = chooseSuite({ suite: "pick-place", changes: { maxSteps: 40 }, perturbation: "camera" });
    expect(chosen).toEqual({ ...suitePresets["pick-place"], maxSteps: 40, camera: "high" });
    expect(chooseSuite({ suite: "small" })).toEqual(pushPresets.small);
  });

  it("names a field that is none and one whose value is not valid, and stays in its suite", () => {
    expect(() => chooseSuite({ suite: "push", changes: { lights: 3 } })).toThrow("lights");
    expect(() => chooseSuite({ suite: "push", changes: { maxSteps: -1 } })).toThrow("suite: maxSteps must be valid");
    expect(chooseSuite({ suite: "push", changes: { suite: "pick-place" } }).suite).toBe("push");
  });
});
