import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { FrameCache } from "#datasets/frame-cache.ts";
import { filterPairs, framePairs, motionOf, motionOfPairs, movingPairs } from "#datasets/frame-pairs.ts";

const clip = (...times: number[]) => ({ timestampsS: Float64Array.from(times) });
const rows = (pairs: ReturnType<typeof framePairs>) =>
  Array.from({ length: pairs.length }, (_, pair) => [pairs.clip[pair], pairs.first[pair], pairs.second[pair]]);

describe("framePairs", () => {
  it("joins frames an offset apart and leaves out the end of the clip", () => {
    expect(rows(framePairs([clip(0, 0.1, 0.2, 0.3, 0.4)], { offsetS: 0.2 }))).toEqual([
      [0, 0, 2],
      [0, 1, 3],
      [0, 2, 4],
    ]);
  });

  it("takes the nearest frame when the offset is no multiple of the interval", () => {
    expect(rows(framePairs([clip(0, 0.1, 0.2, 0.3)], { offsetS: 0.14 }))).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [0, 2, 3],
    ]);
    expect(rows(framePairs([clip(0, 0.1, 0.2, 0.3)], { offsetS: 0.16 }))).toEqual([
      [0, 0, 2],
      [0, 1, 3],
    ]);
  });

  it("counts time, not frames, where frames were dropped", () => {
    // 0.3 and 0.4 are missing: 0.1 has no partner at 0.3, 0.2 none at 0.4; 0.5 has one at 0.7.
    expect(rows(framePairs([clip(0, 0.1, 0.2, 0.5, 0.6, 0.7)], { offsetS: 0.2 }))).toEqual([
      [0, 0, 2],
      [0, 3, 5],
    ]);
  });

  it("works clip by clip, each with its own rate", () => {
    expect(rows(framePairs([clip(0, 1, 2), clip(5, 5.5, 6, 6.5)], { offsetS: 1 }))).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [1, 0, 2],
      [1, 1, 3],
    ]);
  });

  it("says what would fit when nothing does", () => {
    expect(() => framePairs([clip(0, 0.1), clip(0)], { offsetS: 3 })).toThrow(
      "pairs: two frames 3 s apart must fit into a clip, but the longest of 2 clips lasts 0.10 s",
    );
    expect(() => framePairs([clip(0, 0.1)], { offsetS: 0 })).toThrow("offset must be above 0 s, got 0 s");
    expect(() => framePairs([clip(0, 1, 2)], { offsetS: 0.1 })).toThrow("Choose another offset");
  });

  it("finds what looking at every pair finds", () => {
    const gaps = fc.array(fc.constantFrom(1, 1, 1, 2, 5, 0.5), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(gaps, fc.constantFrom(1, 2, 2.4, 3.5), (steps, offsetS) => {
        const times = [0];
        for (const step of steps) times.push(times.at(-1)! + step);
        const sorted = [...steps].sort((a, b) => a - b);
        const half = sorted[sorted.length >> 1]! / 2 + 1e-6;
        const expected: number[][] = [];
        for (const [first, start] of times.entries()) {
          const distances = times.map((time) => Math.abs(time - start - offsetS));
          const nearest = Math.min(...distances);
          // Of two equally near frames the later one is taken.
          const second = distances.lastIndexOf(nearest);
          if (second > first && nearest <= half) expected.push([0, first, second]);
        }
        const found = expected.length === 0 ? [] : rows(framePairs([clip(...times)], { offsetS }));
        expect(found).toEqual(expected);
      }),
    );
  });
});

describe("motion", () => {
  it("is the mean absolute difference in grey levels", () => {
    expect(motionOf(Uint8Array.of(0, 10, 255), Uint8Array.of(3, 10, 249))).toBe(3);
    expect(motionOf(Uint8Array.of(), Uint8Array.of())).toBe(0);
  });

  const levels = [0, 0, 4, 4];
  const cache = {
    size: 2,
    read: (_clip: number, frame: number, out: Uint8Array, offset: number) =>
      void out.fill(levels[frame]!, offset, offset + 12),
  } as FrameCache;
  const pairs = framePairs([clip(0, 1, 2, 3)], { offsetS: 1 });

  it("is measured for every pair, and still pairs are left out", () => {
    expect([...motionOfPairs(cache, pairs)]).toEqual([0, 4, 0]);
    expect(rows(movingPairs(cache, pairs, 0.5))).toEqual([[0, 1, 2]]);
    expect(rows(filterPairs(pairs, (pair) => pair !== 1))).toEqual([
      [0, 0, 1],
      [0, 2, 3],
    ]);
  });
});
