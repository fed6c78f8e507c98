import { describe, expect, it } from "@jest/globals";
import { type HumanVideoCell, humanVideoArms, settingsOf } from "#benchmarks/lapa/human-video.ts";
import { humanVideoCandidates } from "#benchmarks/lapa/human-video-candidates.ts";
import { humanVideoResult } from "#benchmarks/lapa/human-video-result.ts";

/** A fold of ten clips whose motion every arm explains as far as is said. */
function cellOf(fold: number, explains: Record<string, number>): HumanVideoCell {
  const clips = (share: number) =>
    Array.from({ length: 10 }, (_, at) => {
      const squares = 4 + (at % 3);
      const errors = squares * (1 - share);
      return {
        clip: `${fold}-${at}`,
        pairs: 4,
        sum: [0, 0],
        squares: [squares, squares],
        errors: [errors, errors],
      } as const;
    });
  const metrics = {
    ...{
      pairs: 40,
      codebookSize: 8,
      codesUsed: 8 - fold,
      perplexity: 5,
      largestShare: 0.4,
      psnrHard: 24,
      psnrCopyLast: 22,
    },
    ...{ psnrHardMoving: 18, psnrCopyLastMoving: 15, psnrRandomMoving: 16 },
  };
  return {
    ...{ part: "test", fold, seed: fold, metrics, trainPairs: 100, testPairs: 40 },
    arms: Object.fromEntries(humanVideoArms.map((arm) => [arm, clips(explains[arm] ?? 0)])),
  };
}

describe("the result of people's videos", () => {
  const explains = { codes: 0.5, "picture difference": 0.2, "told the truth": 0.8 };
  const settings = settingsOf(humanVideoCandidates.window, 7);
  const choice = { chosen: "window", scores: { window: 0.41234, demo: 0.1 }, settings };
  const { summary, seeds, rows } = humanVideoResult([cellOf(0, explains), cellOf(2, explains)], choice, "bench");
  const controls = summary.probeR2Controls as Record<string, Record<string, unknown>>;

  it("pools the folds' clips and holds the codes against every control on the same clips", () => {
    expect(summary.probeR2).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
    expect(controls["picture difference"]).toMatchObject({ value: 0.2, codesMinusThis: { value: 0.3, low: 0.3 } });
    expect(Object.keys(controls)).toEqual(["shuffled codes", "untrained encoder", "picture difference", "mean"]);
    expect(summary.probeR2ToldTheTruth).toMatchObject({ value: 0.8 });
    expect(summary).toMatchObject({ testedClips: 20, testedPairs: 80, codesUsed: 6, psnrHard: 24 });
  });

  it("names the fold that is missing, what was chosen from what, and its settings", () => {
    expect(summary.missing).toEqual(["fold 1"]);
    expect(summary).toMatchObject({ chosen: "window", chosenFrom: { window: 0.412, demo: 0.1 } });
    expect(summary.settings).toMatchObject({ zoom: 1.5, offsetS: 0.3, steps: 7 });
    expect(seeds).toEqual([0, 2]);
    expect(rows).toHaveLength(2);
  });
});
