import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { applyLinearProbe, fitLinearProbe, rSquared } from "#core/statistics/linear-probe.ts";

describe("fitLinearProbe", () => {
  it("finds y = 2 a - b + 3 exactly without a penalty", () => {
    const rng = createRng(4);
    const x = Float64Array.from({ length: 40 }, () => rng.uniform(-1, 1));
    const y = Float64Array.from({ length: 20 }, (_, row) => 2 * x[2 * row]! - x[2 * row + 1]! + 3);
    const probe = fitLinearProbe(x, y, { rows: 20, ridge: 0 });
    expect(probe.weights).toBeAllClose([2, -1, 3], { absolute: 1e-9 });
    expect(rSquared(applyLinearProbe(probe, x, 20), y, 1)).toBeCloseTo(1, 12);
  });

  it("copes with one-hot columns that sum to one, and with a column that is always zero", () => {
    const x = [1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0];
    const y = [5, 7, 5, 7];
    const probe = fitLinearProbe(x, y, { rows: 4 });
    expect(applyLinearProbe(probe, x, 4)).toBeAllClose(y, { absolute: 2e-3 });
  });

  it("fits several outputs at once", () => {
    const x = [0, 1, 2, 3];
    const y = [0, 10, 1, 8, 2, 6, 3, 4];
    expect(fitLinearProbe(x, y, { rows: 4, ridge: 0 }).weights).toBeAllClose([1, -2, 0, 10], { absolute: 1e-9 });
  });
});

describe("rSquared", () => {
  it("is 0 for the mean and negative for worse", () => {
    expect(rSquared([2, 2, 2], [1, 2, 3], 1)).toBe(0);
    expect(rSquared([3, 2, 1], [1, 2, 3], 1)).toBe(-3);
  });

  it("leaves out outputs that do not vary", () => {
    expect(rSquared([1, 0, 2, 9], [1, 5, 2, 5], 2)).toBe(1);
    expect(rSquared([1], [1], 1)).toBeNaN();
  });
});
