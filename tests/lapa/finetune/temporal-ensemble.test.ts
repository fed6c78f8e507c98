import { describe, expect, it } from "@jest/globals";
import type { Policy } from "#core/contracts/policy.ts";
import { temporalEnsemble } from "#lapa/finetune/temporal-ensemble.ts";

/** Says the given chunks of one dimension, one after another, at 10 Hz. */
function speaker(chunks: number[][]): Policy {
  let next = 0;
  return {
    spec: {} as never,
    infer: async ({ stampNs }) => {
      const actions = Float32Array.from(chunks[next++]!);
      return { actions, length: actions.length, rateHz: 10, space: {} as never, stampNs, policyId: "" };
    },
    reset: () => {
      next = 0;
    },
  };
}
const at = (tick: number) => ({ images: {}, instruction: "", stampNs: BigInt(tick) * 100_000_000n });

describe("temporalEnsemble", () => {
  it("averages what chunks say about the same instant, the oldest counting most", async () => {
    const policy = temporalEnsemble(
      speaker([
        [1, 2, 3],
        [10, 20, 30],
        [100, 200, 300],
      ]),
      Math.LN2,
    );
    expect([...(await policy.infer(at(0))).actions]).toEqual([1, 2, 3]);
    expect([...(await policy.infer(at(1))).actions]).toBeAllClose([(2 + 10 / 2) / 1.5, (3 + 20 / 2) / 1.5, 30]);
    const third = (await policy.infer(at(2))).actions;
    expect([...third]).toBeAllClose([(3 + 20 / 2 + 100 / 4) / 1.75, (30 + 200 / 2) / 1.5, 300]);
  });

  it("forgets chunks whose time is over, and everything at reset", async () => {
    const policy = temporalEnsemble(
      speaker([
        [1, 2],
        [5, 6],
        [7, 8],
      ]),
      0,
    );
    await policy.infer(at(0));
    expect([...(await policy.infer(at(2))).actions]).toEqual([5, 6]);
    policy.reset();
    expect([...(await policy.infer(at(2))).actions]).toEqual([1, 2]);
  });

  it("refuses a negative decay", () => {
    expect(() => temporalEnsemble(speaker([]), -1)).toThrow("must be at least 0");
  });
});
