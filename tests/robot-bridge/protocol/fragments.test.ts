import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FragmentAssembler, splitIntoFragments } from "#robot-bridge/protocol/fragments.ts";

const limits = { maxBytes: 1000, maxMessages: 2, timeoutMs: 100 };
const piece = (id: string, num: number, total: number, data = "x") => ({
  op: "fragment" as const,
  id,
  data,
  num,
  total,
});

describe("fragments", () => {
  it("put any text together again, in any order, with pieces sent twice", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.integer({ min: 1, max: 20 }), fc.nat(), (text, size, seed) => {
        const pieces = splitIntoFragments(text, "a", size);
        const shuffled = pieces.map((each, index) => ({ each, key: (index * 7919 + seed) % 101 }));
        shuffled.sort((left, right) => left.key - right.key);
        const order = shuffled.map(({ each }) => each);
        const assembler = new FragmentAssembler(limits);
        const results = [order[0]!, ...order].map((each) => assembler.add(each, 0n)).filter((whole) => whole !== null);
        expect(results[0]).toBe(text);
        expect(assembler.pending).toBeLessThanOrEqual(pieces.length === 1 ? 0 : 1);
      }),
    );
  });

  it("keep messages with different ids apart", () => {
    const assembler = new FragmentAssembler(limits);
    expect(assembler.add(piece("a", 0, 2, "1"), 0n)).toBeNull();
    expect(assembler.add(piece("b", 0, 2, "3"), 0n)).toBeNull();
    expect(assembler.add(piece("a", 1, 2, "2"), 0n)).toBe("12");
    expect(assembler.add(piece("b", 1, 2, "4"), 0n)).toBe("34");
  });

  it("forget what never becomes whole: by age and by number", () => {
    const assembler = new FragmentAssembler(limits);
    assembler.add(piece("a", 0, 2), 0n);
    assembler.add(piece("b", 0, 2), 50_000_000n);
    assembler.add(piece("c", 0, 2), 60_000_000n);
    expect(assembler.pending).toBe(2);
    expect(assembler.add(piece("a", 1, 2), 60_000_000n)).toBeNull();
    assembler.add(piece("d", 0, 2), 500_000_000n);
    expect(assembler.pending).toBe(1);
  });

  it.each([
    ["a number past the end", [piece("a", 2, 2)]],
    ["two different totals", [piece("a", 0, 2), piece("a", 1, 3)]],
    ["a whole that is too long", [piece("a", 0, 2, "x".repeat(600)), piece("a", 1, 2, "x".repeat(600))]],
    ["a million pieces", [piece("a", 0, 1_000_000)]],
  ])("refuse %s", (_, pieces) => {
    const assembler = new FragmentAssembler(limits);
    for (const each of pieces.slice(0, -1)) assembler.add(each, 0n);
    expect(() => assembler.add(pieces.at(-1)!, 0n)).toThrow("rosbridge fragment");
    expect(assembler.pending).toBe(0);
  });
});
