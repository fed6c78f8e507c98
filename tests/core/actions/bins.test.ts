import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { binCount, decodeActions, encodeActions, findBin, fitActionTokenizer } from "#core/actions/bins.ts";
import { ConfigError } from "#core/errors.ts";

describe("fitActionTokenizer", () => {
  it("puts equal shares into the bins and cuts where pandas.qcut cuts", () => {
    const values = Float32Array.from({ length: 9 }, (_, index) => index ** 2);
    const { dimensions } = fitActionTokenizer(values, 1, 4);
    // pandas.qcut([0, 1, 4, 9, 16, 25, 36, 49, 64], 4): edges 0, 4, 16, 36, 64
    expect(dimensions[0]!.edges).toEqual([0, 4, 16, 36, 64]);
    expect(dimensions[0]!.centres).toBeAllClose([5 / 3, 12.5, 30.5, 56.5]);
    expect([...encodeActions({ dimensions }, values)]).toEqual([0, 0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it("drops duplicate edges, as a dimension that mostly rests gives them", () => {
    const values = [...Array.from({ length: 90 }, () => 0), ...Array.from({ length: 30 }, (_, index) => index + 1)];
    const { edges, centres } = fitActionTokenizer(values, 1, 8).dimensions[0]!;
    expect(new Set(edges).size).toBe(edges.length);
    expect(centres.length).toBe(edges.length - 1);
    expect(edges.length).toBeLessThan(9);
  });

  it("gives a gripper one bin per value and decodes it exactly", () => {
    const tokenizer = fitActionTokenizer([0.1, 0, 0.2, 1, 0.3, 1], 2, 2);
    expect(tokenizer.dimensions[1]).toEqual({ edges: [0, 0.5, 1], centres: [0, 1] });
    expect([...decodeActions(tokenizer, [0, 1])]).toBeAllClose([0.15, 1]);
    expect(binCount(tokenizer)).toBe(2);
  });

  it("gives a constant dimension one bin", () => {
    const tokenizer = fitActionTokenizer([7, 7, 7], 1, 16);
    expect([...decodeActions(tokenizer, encodeActions(tokenizer, [7, 100, -100]))]).toEqual([7, 7, 7]);
  });

  it("names the row of a value that is not finite", () => {
    expect(() => fitActionTokenizer([1, 2, 3, Number.NaN], 2, 4)).toThrow("NaN in row 1, dimension 1");
    expect(() => fitActionTokenizer([], 2, 4)).toThrow(ConfigError);
  });
});

describe("encode and decode", () => {
  it("send values outside of what was fitted to the outermost bins", () => {
    const tokenizer = fitActionTokenizer([0, 1, 2, 3, 4, 5, 6, 7], 1, 4);
    expect([...encodeActions(tokenizer, [-1e9, 1e9])]).toEqual([0, 3]);
    expect([...decodeActions(tokenizer, [-5, 99])]).toEqual([...decodeActions(tokenizer, [0, 3])]);
  });

  it("bring every fitted value back within its own bin, and codes back unchanged", () => {
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 9 }), (list, bins) => {
        const tokenizer = fitActionTokenizer(list, 1, bins);
        const { edges, centres } = tokenizer.dimensions[0]!;
        const codes = encodeActions(tokenizer, list);
        const decoded = decodeActions(tokenizer, codes);
        for (const [index, code] of codes.entries()) {
          const [low, high] = [edges[code]!, edges[code + 1] ?? edges[code]!];
          expect(decoded[index]!).toBeGreaterThanOrEqual(Math.fround(low) - 1e-4);
          expect(decoded[index]!).toBeLessThanOrEqual(Math.fround(high) + 1e-4);
        }
        for (const [code, centre] of centres.entries()) expect(findBin(edges, centre)).toBe(code);
      }),
    );
  });
});
