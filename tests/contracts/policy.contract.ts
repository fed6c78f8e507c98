import { describe, expect, it } from "@jest/globals";
import type { Observation } from "#core/contracts/observation.ts";
import type { Policy } from "#core/contracts/policy.ts";

export type PolicyUnderTest = {
  readonly policy: Policy;
  /** Makes the next answer take so long; null when the policy cannot be slowed down. */
  readonly slow: ((durationMs: number) => void) | null;
  readonly close: () => unknown;
};

/** An observation as the policy's spec asks for. */
export function observationFor({ spec }: Policy, stampNs = 123_456_789n): Observation {
  const images = Object.fromEntries(
    spec.cameras.map(({ name, height, width }) => [
      name,
      { data: new Uint8Array(height * width * 3).fill(100), height, width },
    ]),
  );
  const base = { images, instruction: "push the red block", stampNs };
  return spec.stateSize > 0 ? { ...base, state: new Float32Array(spec.stateSize).fill(0.5) } : base;
}

/** What every `Policy` must do, whatever is behind it. */
export function policyContract(name: string, open: () => Promise<PolicyUnderTest>): void {
  describe(`${name} as a Policy`, () => {
    const withPolicy = async (check: (under: PolicyUnderTest) => Promise<void>) => {
      const under = await open();
      try {
        await check(under);
      } finally {
        await under.close();
      }
    };

    it("says what its actions mean", () =>
      withPolicy(async ({ policy: { spec } }) => {
        const { names, units, limits } = spec.space;
        expect([units.length, limits.low.length, limits.high.length]).toEqual([
          names.length,
          names.length,
          names.length,
        ]);
        expect(spec.rateHz).toBeGreaterThan(0);
        expect(spec.chunkLength).toBeGreaterThanOrEqual(1);
        expect(spec.policyId).not.toBe("");
      }));

    it("answers with a whole, finite chunk in its own space, stamped with its observation", () =>
      withPolicy(async ({ policy }) => {
        const chunk = await policy.infer(observationFor(policy, 42n));
        const { names } = policy.spec.space;
        expect(chunk.actions).toBeInstanceOf(Float32Array);
        expect(chunk.actions.length).toBe(chunk.length * names.length);
        expect(chunk.actions.every(Number.isFinite)).toBe(true);
        expect(chunk.space.names).toEqual(names);
        expect(chunk).toMatchObject({ stampNs: 42n, rateHz: policy.spec.rateHz, policyId: policy.spec.policyId });
      }));

    it("answers again after a reset", () =>
      withPolicy(async ({ policy }) => {
        await policy.infer(observationFor(policy));
        policy.reset();
        expect((await policy.infer(observationFor(policy, 7n))).stampNs).toBe(7n);
      }));

    it("refuses at once when it was aborted before", () =>
      withPolicy(async ({ policy }) => {
        await expect(policy.infer(observationFor(policy), AbortSignal.abort())).rejects.toMatchObject({
          name: "AbortError",
        });
      }));

    it("returns no late answer: an aborted question rejects, and the next one gets its own answer", () =>
      withPolicy(async ({ policy, slow }) => {
        if (!slow) return;
        const stop = new AbortController();
        slow(300);
        const late = policy.infer(observationFor(policy, 1n), stop.signal);
        setTimeout(() => stop.abort(), 30);
        await expect(late).rejects.toMatchObject({ name: "AbortError" });
        slow(0);
        expect((await policy.infer(observationFor(policy, 2n))).stampNs).toBe(2n);
      }));
  });
}
