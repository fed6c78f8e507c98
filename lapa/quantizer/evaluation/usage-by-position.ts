import { perplexity } from "../usage.ts";

export type PositionUsage = {
  /** Share of each of the K codes; they sum to 1. */
  readonly shares: readonly number[];
  readonly perplexity: number;
  /** Entropy in nats: the logarithm of the perplexity. */
  readonly entropyNats: number;
};

export type CodeUsage = {
  readonly positions: readonly PositionUsage[];
  /** Whole codes (all L positions together) that occur, and the perplexity of their use. */
  readonly jointUsed: number;
  readonly jointPerplexity: number;
};

/** How often each code stands at each position. @param codes i32[N, L] */
export function usageByPosition(codes: Int32Array, codesPerStep: number, codebookSize: number): CodeUsage {
  const counts = Array.from({ length: codesPerStep }, () => new Float64Array(codebookSize));
  for (const [index, code] of codes.entries()) {
    const own = counts[index % codesPerStep]!;
    own[code] = own[code]! + 1;
  }
  const joint = new Map<string, number>();
  for (let at = 0; at < codes.length; at += codesPerStep) {
    const key = codes.subarray(at, at + codesPerStep).join(" ");
    joint.set(key, (joint.get(key) ?? 0) + 1);
  }
  const pairs = codes.length / codesPerStep;
  return {
    positions: counts.map((own) => {
      const used = perplexity(own);
      return { shares: Array.from(own, (count) => count / pairs), perplexity: used, entropyNats: Math.log(used) };
    }),
    jointUsed: joint.size,
    jointPerplexity: perplexity([...joint.values()]),
  };
}
