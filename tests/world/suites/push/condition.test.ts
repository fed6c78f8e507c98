import { describe, expect, it } from "@jest/globals";
import { relativePlace, shortfall } from "#world/suites/push/condition.ts";
import type { PushGoal } from "#world/suites/push/goal.ts";
import type { Point } from "#world/suites/push/plane.ts";
import { pushGoal } from "./push-log.ts";

const start = { tip: [0.3, 0.3] as Point, blocks: { "red-cylinder": [0, 0] as Point, "blue-cube": [0.1, 0] as Point } };
const redAt = (x: number, y: number, tip: Point = start.tip) => ({
  tip,
  blocks: { ...start.blocks, "red-cylinder": [x, y] as Point },
});
const missing = (goal: Partial<PushGoal>, x: number, y: number, tip?: Point) =>
  shortfall(pushGoal(goal), start, redAt(x, y, tip));

describe("shortfall", () => {
  it("of reach is the gap between tip and block", () => {
    // Radii 0.02 and 0.034, at most 0.012 between them.
    expect(missing({ kind: "reach" }, 0, 0, [0.0659, 0])).toBeNull();
    expect(missing({ kind: "reach" }, 0, 0, [0.0671, 0])).toBe("the tip is 13 mm from the red cylinder");
  });

  it("of block to block is the gap between their outlines", () => {
    expect(missing({ reference: "blue-cube" }, 0.0121, 0)).toBeNull();
    expect(missing({ reference: "blue-cube" }, -0.05, 0)).toBe("the red cylinder is 82 mm from the blue cube");
  });

  it.each([
    ["left edge", -0.201, 0.1, -0.199, 0.1],
    ["right edge", 0.201, -0.2, 0.199, -0.2],
    ["top edge", 0.2, 0.201, 0.2, 0.199],
    ["bottom edge", 0, -0.201, 0, -0.199],
    ["top left corner", -0.181, 0.181, -0.181, 0.179],
    ["bottom right corner", 0.19, -0.25, 0.17, -0.25],
    ["center", 0.03, -0.039, 0.03, -0.041],
  ] as const)("of %s has its border where the thresholds say", (place, x, y, outX, outY) => {
    expect(missing({ kind: "block-to-place", place }, x, y)).toBeNull();
    expect(missing({ kind: "block-to-place", place }, outX, outY)).toMatch(/^the red cylinder is \d+ mm from the /);
  });

  it("of a place beside another block is the way to it", () => {
    const goal = { kind: "block-to-relative-place", reference: "blue-cube", direction: "up" } as const;
    expect(relativePlace(pushGoal(goal), [0.1, 0])).toBeAllClose([0.1, 0.11]);
    expect(missing(goal, 0.1, 0.0651)).toBeNull();
    expect(missing(goal, 0.1, 0.06)).toBe("the red cylinder is 50 mm from its place");
    const slanted = relativePlace(pushGoal({ ...goal, direction: "down and left" }), [0.1, 0]);
    expect(slanted).toBeAllClose([0.1 - 0.0778, -0.0778], { absolute: 1e-4 });
  });

  it("of a relative move minds direction and straightness", () => {
    const goal = { kind: "relative-move", direction: "left" } as const;
    expect(missing(goal, -0.101, 0.059)).toBeNull();
    expect(missing(goal, -0.09, 0)).toBe("the red cylinder moved only 90 mm left");
    expect(missing(goal, 0.12, 0)).toBe("the red cylinder moved only -120 mm left");
    expect(missing(goal, -0.12, 0.07)).toBe("the red cylinder moved 70 mm sideways");
  });

  it("of separate is the distance that is left", () => {
    const goal = { kind: "separate", reference: "blue-cube" } as const;
    expect(missing(goal, -0.0701, 0)).toBeNull();
    expect(missing(goal, 0.02, 0)).toBe("the blocks are only 80 mm apart");
  });

  it("says when the goal names a block that is not there", () => {
    expect(missing({ subject: "red-triangle" }, 0, 0)).toBe("the goal names a block that is not on the table");
  });
});
