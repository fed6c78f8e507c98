import { describe, expect, it } from "@jest/globals";
import {
  drawInstances,
  evaluateExpert,
  evaluatePolicy,
  type PushPresetName,
  planarDelta,
  pushPresets,
  randomPolicy,
  type Split,
  summariseRollouts,
  zeroPolicy,
} from "#world/index.ts";

const bodies = ["pusher", "arm", "hand"];
const presets = Object.keys(pushPresets) as PushPresetName[];
const cells = presets.flatMap((preset) => bodies.map((embodiment) => [preset, embodiment] as const));
/** `demo` holds nothing out, `small` only objects. */
const splits: Readonly<Record<PushPresetName, readonly Split[]>> = {
  demo: ["train", "seen"],
  small: ["seen", "unseen-objects"],
  "language-table": ["seen", "unseen-objects", "unseen-phrasing", "unseen"],
  "language-table-8": ["seen", "unseen-objects", "unseen-phrasing", "unseen"],
};

describe("the scripted expert", () => {
  it.each(cells)("solves at least 95 %% of %s with a %s", async (preset, embodiment) => {
    const suite = pushPresets[preset];
    const instances = splits[preset].flatMap((split) =>
      drawInstances({ suite, embodiment, split, seed: 2024, count: 120 / splits[preset].length }),
    );
    const { success, unstable } = summariseRollouts(await evaluateExpert({ instances }));
    expect(unstable).toBe(0);
    expect(success.rate).toBeGreaterThanOrEqual(0.95);
  });
});

describe("the demo's difficulty", () => {
  it.each([zeroPolicy({ space: planarDelta }), randomPolicy({ space: planarDelta, seed: 1, chunkLength: 4 })])(
    "leaves less than 10 %% to a policy that knows nothing",
    async (policy) => {
      const instances = drawInstances({
        suite: pushPresets.demo,
        embodiment: "pusher",
        split: "seen",
        seed: 1,
        count: 200,
      });
      const { success } = summariseRollouts(await evaluatePolicy({ instances, policy }));
      expect(success.rate).toBeLessThan(0.1);
    },
  );
});
