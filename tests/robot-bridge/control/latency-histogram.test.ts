import { describe, expect, it } from "@jest/globals";
import { LatencyHistogram } from "#robot-bridge/control/latency-histogram.ts";

describe("LatencyHistogram", () => {
  it("gives quantiles to 5 % and the exact maximum", () => {
    const histogram = new LatencyHistogram();
    for (let value = 1; value <= 1000; value++) histogram.add(value / 10);
    const { count, p50Ms, p99Ms, maxMs } = histogram.summary();
    expect(count).toBe(1000);
    expect(Math.abs(p50Ms - 50)).toBeLessThan(2.5);
    expect(Math.abs(p99Ms - 99)).toBeLessThan(5);
    expect(maxMs).toBe(100);
  });

  it("counts by bounds", () => {
    const histogram = new LatencyHistogram();
    for (const value of [0, 0.5, 3, 3, 30, 1e9]) histogram.add(value);
    expect(histogram.table([1, 10, 100])).toEqual([2, 2, 1, 1]);
  });

  it("is empty at first and leaves NaN out", () => {
    const histogram = new LatencyHistogram();
    histogram.add(Number.NaN);
    expect(histogram.summary()).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });
});
