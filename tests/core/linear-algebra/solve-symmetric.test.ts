import { describe, expect, it } from "@jest/globals";
import { solveSymmetric } from "#core/linear-algebra/solve-symmetric.ts";

describe("solveSymmetric", () => {
  it("solves a system with two right-hand sides", () => {
    // [4 2; 2 3] w = [8 2; 7 1] gives w = [1.25 0.5; 1.5 0].
    const solution = solveSymmetric(Float64Array.of(4, 2, 2, 3), Float64Array.of(8, 2, 7, 1), 2, 2);
    expect(solution).toBeAllClose([1.25, 0.5, 1.5, 0], { absolute: 1e-12 });
  });

  it("leaves an unknown without effect at zero", () => {
    const solution = solveSymmetric(Float64Array.of(4, 0, 0, 0), Float64Array.of(12, 0), 2, 1);
    expect([...solution]).toEqual([3, 0]);
  });
});
