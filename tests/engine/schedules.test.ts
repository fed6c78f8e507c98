import { describe, expect, it } from "@jest/globals";
import { constant, warmupCosine } from "#engine/index.ts";

describe("warmupCosine", () => {
  const rate = warmupCosine({ peak: 2, warmupSteps: 4, steps: 14 });

  it("rises evenly to the peak, then falls along half a cosine to a tenth", () => {
    expect([0, 1, 2, 3, 4].map(rate)).toEqual([0.5, 1, 1.5, 2, 2]);
    expect(rate(9)).toBeCloseTo(2 * (0.1 + 0.9 * 0.5), 12);
    expect(rate(14)).toBeCloseTo(0.2, 12);
  });

  it("stays at its last value afterwards", () => {
    expect(rate(1000)).toBeCloseTo(0.2, 12);
  });

  it("starts at the peak without a warm-up", () => {
    expect(warmupCosine({ peak: 2, warmupSteps: 0, steps: 10, final: 0 })(0)).toBe(2);
  });

  it("refuses a warm-up as long as the training", () => {
    expect(() => warmupCosine({ peak: 1, warmupSteps: 5, steps: 5 })).toThrow(
      "longer than its warm-up of 5 steps, got 5",
    );
  });
});

it("constant stays", () => {
  expect([0, 1, 1e6].map(constant(3e-4))).toEqual([3e-4, 3e-4, 3e-4]);
});
