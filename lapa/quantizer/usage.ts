/** @file How the codebook is used while it is trained: the alarm that LAPA's users ask for most (issues 17 and 50 there). */
import { UserError } from "#core/errors.ts";
import { type Log, silentLog } from "#core/log.ts";

export type UsageRow = {
  readonly step: number;
  /** Shares of the K codes since the last row; they sum to 1. */
  readonly shares: readonly number[];
  /** 2 to the power of the entropy: how many codes are in use as if all were used alike. */
  readonly perplexity: number;
};

/** `2^H` of a distribution given as counts. */
export function perplexity(counts: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index]!;
  let entropy = 0;
  for (let index = 0; index < counts.length; index++) {
    const share = counts[index]! / total;
    if (share > 0) entropy -= share * Math.log2(share);
  }
  return 2 ** entropy;
}

const rowEvery = 20;
/** Below this share of the codebook the codes say too little. */
const alarmShare = 0.35;

/** Fewer codes than this, as if all were used alike, over ten rows in a row: one code speaks for everything. */
const collapsed = 1.5;
const collapsedRows = 10;

/**
 * Sums usage over 20 steps a row and warns once when the codebook collapses after its first hundred steps.
 *
 * @throws UserError from `add`, when it has been collapsed for 200 steps, unless `allowCollapse`
 */
export function createUsageMeter(codebookSize: number, log: Log = silentLog, allowCollapse = true) {
  const rows: UsageRow[] = [];
  let counts = new Float64Array(codebookSize);
  let warned = false;
  return {
    add(step: number, use: ArrayLike<number>): void {
      for (let code = 0; code < codebookSize; code++) counts[code] = counts[code]! + use[code]!;
      if (step % rowEvery !== 0) return;
      const total = counts.reduce((sum, count) => sum + count, 0);
      const row = { step, shares: Array.from(counts, (count) => count / total), perplexity: perplexity(counts) };
      rows.push(row);
      counts = new Float64Array(codebookSize);
      const last = rows.slice(-collapsedRows);
      if (!allowCollapse && last.length === collapsedRows && last.every((some) => some.perplexity < collapsed)) {
        throw new UserError(
          `quantizer: the codebook must stay in use, but 200 steps to step ${step} used as few as ${row.perplexity.toFixed(2)} of ${codebookSize} codes. ` +
            "Take --model.quantization ema, raise --model.reseedBelow or --minMotion, or go on with --allowCollapse.",
        );
      }
      if (warned || step <= 100 || row.perplexity >= alarmShare * codebookSize) return;
      warned = true;
      log.warn(
        `quantizer: step ${step}: the codes are used as if there were ${row.perplexity.toFixed(1)} of ${codebookSize}. ` +
          "If it stays so, raise --model.reseedBelow or look at the videos: do they show motion?",
      );
    },
    rows: (): readonly UsageRow[] => rows,
  };
}
