import { describe, expect, it } from "@jest/globals";
import { createUsageMeter, perplexity } from "#lapa/quantizer/usage.ts";

describe("perplexity", () => {
  it.each([
    [[5, 5, 5, 5], 4],
    [[7, 0, 0, 0], 1],
    [[2, 1, 1, 0], 2 ** 1.5],
  ])("of %j is %d", (counts, value) => {
    expect(perplexity(counts)).toBeCloseTo(value, 10);
  });
});

describe("createUsageMeter", () => {
  const watch = (use: readonly number[], steps: number) => {
    const warnings: string[] = [];
    const meter = createUsageMeter(4, { info: () => undefined, warn: (line) => warnings.push(line) });
    for (let step = 1; step <= steps; step++) meter.add(step, use);
    return { rows: meter.rows(), warnings };
  };

  it("sums twenty steps into a row of shares", () => {
    const { rows } = watch([3, 1, 0, 0], 45);
    expect(rows.map(({ step }) => step)).toEqual([20, 40]);
    expect(rows[0]!.shares).toEqual([0.75, 0.25, 0, 0]);
  });

  it("warns once about a collapse that outlasts the first hundred steps", () => {
    expect(watch([9, 0, 0, 0], 100).warnings).toEqual([]);
    const { warnings } = watch([9, 0, 0, 0], 400);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("as if there were 1.0 of 4");
    expect(watch([2, 2, 1, 1], 400).warnings).toEqual([]);
  });

  it("stops when one code has spoken for everything for 200 steps, unless it may go on", () => {
    const run = (allowCollapse: boolean, use: readonly number[]) => {
      const meter = createUsageMeter(4, undefined, allowCollapse);
      for (let step = 1; step <= 400; step++) meter.add(step, use);
    };
    expect(() => run(false, [60, 1, 1, 0])).toThrow("200 steps to step 200 used as few as 1.18 of 4");
    expect(() => run(false, [60, 1, 1, 0])).toThrow("--allowCollapse");
    expect(() => run(true, [60, 1, 1, 0])).not.toThrow();
    expect(() => run(false, [30, 20, 0, 0])).not.toThrow();
  });
});
