import { describe, expect, it } from "@jest/globals";
import { mcnemar, wilson } from "#core/statistics/proportion.ts";

describe("wilson", () => {
  it("gives the published interval of 8 in 10", () => {
    const { rate, low, high } = wilson(8, 10);
    expect([rate, low, high]).toBeAllClose([0.8, 0.4901625, 0.9433178], { absolute: 1e-6 });
  });

  it("stays inside [0, 1] at the ends and is not of zero width there", () => {
    expect(wilson(0, 20)).toMatchObject({ low: 0, rate: 0 });
    expect(wilson(0, 20).high).toBeCloseTo(0.1611, 4);
    expect(wilson(20, 20).high).toBe(1);
    expect(wilson(20, 20).low).toBeCloseTo(0.8389, 4);
  });

  it("says nothing without trials", () => {
    expect(wilson(0, 0)).toMatchObject({ rate: Number.NaN, low: 0, high: 1 });
  });
});

describe("mcnemar", () => {
  const outcomes = (pairs: readonly (readonly [number, boolean, boolean])[]) => ({
    first: pairs.flatMap(([count, a]) => Array.from({ length: count }, () => a)),
    second: pairs.flatMap(([count, , b]) => Array.from({ length: count }, () => b)),
  });

  it("looks at the instances that only one arm solved", () => {
    const { first, second } = outcomes([
      [30, true, true],
      [9, true, false],
      [1, false, true],
      [60, false, false],
    ]);
    // 2 (C(10,0) + C(10,1)) / 2^10
    expect(mcnemar(first, second)).toEqual({ onlyFirst: 9, onlySecond: 1, pValue: expect.closeTo(22 / 1024, 10) });
  });

  it("cannot tell equal arms apart", () => {
    const { first, second } = outcomes([
      [5, true, false],
      [5, false, true],
    ]);
    expect(mcnemar(first, second).pValue).toBe(1);
    expect(mcnemar([true], [true]).pValue).toBe(1);
  });

  it("stays finite for thousands of pairs", () => {
    const { first, second } = outcomes([
      [3000, true, false],
      [2000, false, true],
    ]);
    expect(mcnemar(first, second).pValue).toBeLessThan(1e-40);
  });

  it("refuses arms of different length", () => {
    expect(() => mcnemar([true], [])).toThrow("1 against 0");
  });
});
