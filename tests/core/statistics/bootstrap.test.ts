import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { mean, pairedBootstrap, quantile, standardDeviation } from "#core/statistics/bootstrap.ts";

describe("pairedBootstrap", () => {
  it("keeps pairs together: a constant difference has no spread", () => {
    const second = [5, 1, 9, 2];
    const result = pairedBootstrap(
      second.map((value) => value + 3),
      second,
      createRng(1),
    );
    expect(result).toEqual({ difference: 3, low: 3, high: 3 });
  });

  it("agrees with the normal interval of a large sample", () => {
    const rng = createRng("bootstrap");
    const first = Array.from({ length: 2000 }, () => rng.normal() + 0.5);
    const { difference, low, high } = pairedBootstrap(first, new Float64Array(2000), createRng(2));
    const half = (1.96 * standardDeviation(first)) / Math.sqrt(2000);
    expect(difference).toBeCloseTo(mean(first), 12);
    expect([low, high]).toBeAllClose([difference - half, difference + half], { absolute: 0.006 });
  });

  it("repeats itself for the same seed", () => {
    const run = () => pairedBootstrap([1, 2, 3, 4], [2, 1, 0, 5], createRng(3));
    expect(run()).toEqual(run());
  });
});

describe("quantile", () => {
  it.each([
    [0, 1],
    [0.25, 1.75],
    [0.5, 2.5],
    [1, 4],
  ])("of 1 2 3 4 at %f is %f", (share, value) => {
    expect(quantile([1, 2, 3, 4], share)).toBeCloseTo(value, 12);
  });
});
