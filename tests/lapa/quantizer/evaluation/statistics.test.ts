import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { clipBootstrap } from "#lapa/quantizer/evaluation/clip-bootstrap.ts";
import { kMeans, nearestCentre } from "#lapa/quantizer/evaluation/k-means.ts";
import { entropyBits, mutualInformation } from "#lapa/quantizer/evaluation/mutual-information.ts";
import { cosines } from "#lapa/quantizer/evaluation/transfer.ts";
import { usageByPosition } from "#lapa/quantizer/evaluation/usage-by-position.ts";

describe("kMeans", () => {
  it("finds three clouds whatever it starts from", () => {
    const rng = createRng("clouds");
    const middles = [
      [0, 0],
      [10, 0],
      [0, 10],
    ];
    const rows = Array.from({ length: 90 }, (_, row) => middles[row % 3]!.map((value) => value + 0.1 * rng.normal()));
    const { centres, assigned } = kMeans(rows.flat(), { width: 2, count: 3, rng: createRng(1) });
    for (const [x, y] of middles as [number, number][]) {
      const cluster = nearestCentre([x, y], centres, 2)[0]!;
      expect([...centres.subarray(2 * cluster, 2 * cluster + 2)]).toBeAllClose([x, y], { absolute: 0.1 });
    }
    expect(assigned[0]).toBe(assigned[3]);
    expect(new Set(assigned.subarray(0, 3)).size).toBe(3);
  });

  it("takes the first of equally near centres", () => {
    expect([...nearestCentre([1], [0, 2], 1)]).toEqual([0]);
  });
});

describe("mutualInformation", () => {
  const rng = createRng("information");
  const x = Array.from({ length: 4000 }, () => rng.integer(4));
  const options = { sizes: { x: 4, y: 4 }, rng: createRng("shuffles") };

  it("is the whole entropy for a thing and itself: two bits of four equal kinds", () => {
    const { bits, entropyBits: most, chanceMostBits } = mutualInformation(x, x, options);
    expect(most).toBeGreaterThan(1.99);
    expect([bits]).toBeAllClose([most], { relative: 0.005 });
    expect(chanceMostBits).toBeLessThan(0.01);
  });

  it("is nothing, and no more than shuffled, for things that do not know each other", () => {
    const y = Array.from({ length: 4000 }, () => rng.integer(4));
    const { bits, chanceBits, chanceMostBits } = mutualInformation(x, y, options);
    expect(Math.abs(bits)).toBeLessThan(0.005);
    expect(Math.abs(chanceBits)).toBeLessThan(0.001);
    expect(bits).toBeLessThanOrEqual(chanceMostBits + 0.003);
  });

  it("adds half of the outcomes less one over the count, in nats", () => {
    expect(entropyBits(Float64Array.of(2, 2, 0))).toBeCloseTo(1 + 1 / (8 * Math.LN2), 10);
  });
});

describe("clipBootstrap", () => {
  it("holds what is true, and is wider for clips than for as many pairs by themselves", () => {
    const rng = createRng("clips");
    const clips = Array.from({ length: 400 }, (_, pair) => pair % 10);
    const ofClip = Array.from({ length: 10 }, () => rng.normal());
    const values = clips.map((clip) => ofClip[clip]! + 0.1 * rng.normal());
    const ones = values.map(() => 1);
    const mean = ([sum, count]: readonly number[]) => sum! / count!;
    const byClip = clipBootstrap(clips, [values, ones], mean);
    const byPair = clipBootstrap([...values.keys()], [values, ones], mean);
    expect(byClip.value).toBeCloseTo(byPair.value, 10);
    expect(byClip.low).toBeLessThan(byClip.value);
    expect(byClip.high - byClip.low).toBeGreaterThan(2 * (byPair.high - byPair.low));
  });
});

describe("usageByPosition", () => {
  it("counts each position by itself and whole codes together", () => {
    const codes = Int32Array.of(0, 1, 1, 1, 0, 1, 1, 1);
    const { positions, jointUsed, jointPerplexity } = usageByPosition(codes, 2, 2);
    expect(positions.map(({ shares }) => shares)).toEqual([
      [0.5, 0.5],
      [0, 1],
    ]);
    expect(positions.map(({ perplexity }) => perplexity)).toBeAllClose([2, 1]);
    expect(positions[0]!.entropyNats).toBeCloseTo(Math.LN2, 10);
    expect([jointUsed, jointPerplexity]).toEqual([2, 2]);
  });
});

describe("cosines", () => {
  it("compares rows by direction alone, and calls no motion 0", () => {
    expect([...cosines([1, 0, 0, 2, 0, 0, 3, 3], [5, 0, 1, 0, 1, 1, -1, -1], 2)]).toBeAllClose([1, 0, 0, -1]);
  });
});
