import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { patternShare } from "#world/scene/pattern.ts";

const kinds = ["wood", "cloth", "checker", "noise"] as const;
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

describe("patternShare", () => {
  it.each(kinds)("of %s is a share and depends on place and seed alone", (kind) => {
    fc.assert(
      fc.property(place, place, fc.nat(65535), (u, v, seed) => {
        const share = patternShare(kind, u, v, seed);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
        expect(patternShare(kind, u, v, seed)).toBe(share);
      }),
    );
  });

  it.each(["wood", "cloth", "noise"] as const)("of %s meets itself at the tile's edges", (kind) => {
    for (const along of [0.1, 0.37, 0.8]) {
      const almost = 1 - 1e-9;
      expect(Math.abs(patternShare(kind, 0, along, 3) - patternShare(kind, almost, along, 3))).toBeLessThan(1e-5);
      expect(Math.abs(patternShare(kind, along, 0, 3) - patternShare(kind, along, almost, 3))).toBeLessThan(1e-5);
    }
  });

  it("of a checker has four fields", () => {
    const fields = [0.25, 0.75].flatMap((v) => [0.25, 0.75].map((u) => patternShare("checker", u, v, 0)));
    expect(fields).toEqual([1, 0, 0, 1]);
  });

  it.each(["wood", "noise"] as const)("of %s differs between seeds", (kind) => {
    expect(patternShare(kind, 0.3, 0.4, 1)).not.toBe(patternShare(kind, 0.3, 0.4, 2));
  });
});
