import { createResult, type Result } from "#core/results.ts";
import type { DemoConfig } from "./config.ts";
import type { DemoOutcome } from "./pipeline.ts";

export type DemoSummary = {
  readonly seconds: number;
  readonly codesUsed: number;
  readonly codebookSize: number;
  readonly psnrHard: number;
  readonly psnrCopyLast: number;
  /** null: real videos have no truth to probe against. */
  readonly probeR2: number | null;
  readonly successLapa: number;
  readonly successScratch: number;
  readonly rollouts: number;
  readonly machine: string;
  readonly date: string;
  readonly commit: string;
};

const claim =
  "Written before the run: latent pretraining on videos of a hand without actions raises what an arm solves after few " +
  "demonstrations (LAPA > Scratch on the same tasks, paired), both above policies that know nothing; all codes are used; " +
  "a frame drawn from its hard code beats copying the last frame; the right code beats a random one on moving pixels by 1 dB; " +
  "a line from code to true motion explains at least 0.6 of its variance on episodes left out.";

/** The demo's numbers in the shape of all results. */
export function demoResult(outcome: DemoOutcome, config: DemoConfig, command: string): Result {
  const { metrics } = outcome.codes;
  const { arms, paired } = outcome.rollouts;
  const success = (name: string) => arms.find(({ arm }) => arm === name)!.summary.success;
  return createResult({
    name: outcome.isReal ? "demo-videos" : "demo",
    claim,
    command,
    seeds: [config.seed],
    rows: [
      ...arms.map(({ arm, summary }) => ({ arm, ...summary })),
      { codes: metrics },
      { latentVla: outcome.latent },
      ...Object.entries(outcome.seconds).map(([stage, seconds]) => ({ stage, seconds })),
    ],
    summary: {
      seconds: Object.values(outcome.seconds).reduce((sum, value) => sum + value, 0),
      codesUsed: metrics.codesUsed,
      codebookSize: metrics.codebookSize,
      psnrHard: metrics.psnrHard,
      psnrCopyLast: metrics.psnrCopyLast,
      probeR2: metrics.probeR2 ?? null,
      successLapa: success("lapa").rate,
      successScratch: success("scratch").rate,
      rollouts: success("lapa").count,
      rightMinusRandomDb: metrics.psnrHardMoving - metrics.psnrRandomMoving,
      mcnemarP: paired.pValue,
    },
  });
}
