import type { PolicyModel } from "./policy-model.ts";

export type LatentMemory = {
  /** The codes said about one offset ago, i32[codes]; those for none where nothing was. */
  before(stampNs: bigint): Int32Array;
  remember(stampNs: bigint, codes: Int32Array): void;
  forget(): void;
};

/**
 * What a policy said before, for its next prompt (Bu et al. 2025, UniVLA, section III-C). The latent action that led to this
 * picture began one offset ago: of what was said between half and one and a half offsets ago, the nearest to it.
 *
 * @returns none for a policy that does not hear it
 */
export function createLatentMemory({ parameters, latent, backbone }: PolicyModel): LatentMemory | undefined {
  if (parameters.previous === undefined || latent === undefined) return undefined;
  const offsetNs = latent.offsetS * 1e9;
  const none = new Int32Array(backbone.codesPerStep).fill(backbone.codebookSize);
  let said: { readonly stampNs: bigint; readonly codes: Int32Array }[] = [];
  return {
    before(stampNs) {
      const miss = (past: bigint) => Math.abs(Number(stampNs - past) - offsetNs);
      const near = said.filter((entry) => miss(entry.stampNs) <= offsetNs / 2);
      return (
        near.reduce((best, entry) => (best && miss(best.stampNs) <= miss(entry.stampNs) ? best : entry), near[0])
          ?.codes ?? none
      );
    },
    remember(stampNs, codes) {
      said = [
        ...said.filter((entry) => Number(stampNs - entry.stampNs) <= 2 * offsetNs),
        { stampNs, codes: codes.slice() },
      ];
    },
    forget() {
      said = [];
    },
  };
}
