/** @file The tested folds of the human-video benchmark as one result; folds that are missing are named. */
import { createResult, type Result } from "#core/results.ts";
import { createRng } from "#core/rng.ts";
import { mean } from "#core/statistics/bootstrap.ts";
import {
  foldCount,
  type HumanVideoArm,
  type HumanVideoCell,
  type HumanVideoSettings,
  humanVideoArms,
} from "./human-video.ts";
import { explained, overClips } from "./human-video-probe.ts";

const claim =
  "Written before the run: from clips of people at work, without labels, the quantizer learns codes that say how the wrist " +
  "went: on clips left out a line from the codes explains more of its motion (R², mean of x and y, picture heights, right " +
  "or left wrist, whichever begins nearer to the middle of what is shown) than from the codes of other pairs, from an " +
  "untrained encoder's codes, from the picture difference in 16 x 16 cells, or the mean. A fifth of the videos chose the " +
  "settings and is not tested; every other clip is tested once, in three folds, each with weights of its own. Intervals: " +
  "95 %, bootstrap over clips.";

const rounded = <T extends object>(numbers: T): T =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value.toFixed(3))])) as T;

/** Mean over folds of a measure of the quantizer. */
const average = (cells: readonly HumanVideoCell[], of: (cell: HumanVideoCell) => number) =>
  Number(mean(cells.map(of)).toFixed(2));

export type Choice = {
  readonly chosen: string;
  /** R² of the codes on the clips for choosing, by candidate. */
  readonly scores: Readonly<Record<string, number>>;
  readonly settings: HumanVideoSettings;
};

/** @param cells of part "test", at least one */
export function humanVideoResult(cells: readonly HumanVideoCell[], choice: Choice, command: string): Result {
  const clips = Object.fromEntries(humanVideoArms.map((arm) => [arm, cells.flatMap(({ arms }) => arms[arm] ?? [])]));
  const count = clips.codes!.length;
  const pick = (arm: HumanVideoArm, chosen: readonly number[]) => chosen.map((clip) => clips[arm]![clip]!);
  const every = (arm: HumanVideoArm) =>
    rounded(overClips(count, (chosen) => explained(pick(arm, chosen)), createRng("human-video/clips")));
  /** How much more of the same clips' motion the codes explain. */
  const gain = (arm: HumanVideoArm) => {
    const difference = (chosen: readonly number[]) => explained(pick("codes", chosen)) - explained(pick(arm, chosen));
    return rounded(overClips(count, difference, createRng("human-video/clips")));
  };
  const controls = humanVideoArms.filter((arm) => arm !== "codes" && arm !== "told the truth");
  const { quantizer, ...rest } = choice.settings;
  const done = new Set(cells.map(({ fold }) => fold));
  return createResult({
    name: "lapa-human-video",
    claim,
    command,
    seeds: cells.map(({ seed }) => seed),
    rows: cells.map(({ arms, ...cell }) => ({
      ...cell,
      r2: rounded(Object.fromEntries(humanVideoArms.map((arm) => [arm, explained(arms[arm] ?? [])]))),
      clips: arms.codes!.map(({ clip, pairs }) => ({ clip, pairs })),
    })),
    summary: {
      probeR2: every("codes"),
      probeR2Controls: Object.fromEntries(controls.map((arm) => [arm, { ...every(arm), codesMinusThis: gain(arm) }])),
      probeR2ToldTheTruth: every("told the truth"),
      psnrHard: average(cells, ({ metrics }) => metrics.psnrHard),
      psnrCopyLast: average(cells, ({ metrics }) => metrics.psnrCopyLast),
      psnrHardMoving: average(cells, ({ metrics }) => metrics.psnrHardMoving),
      psnrCopyLastMoving: average(cells, ({ metrics }) => metrics.psnrCopyLastMoving),
      psnrRandomMoving: average(cells, ({ metrics }) => metrics.psnrRandomMoving),
      codesUsed: Math.min(...cells.map(({ metrics }) => metrics.codesUsed)),
      perplexity: average(cells, ({ metrics }) => metrics.perplexity),
      testedClips: count,
      testedPairs: cells.reduce((sum, { testPairs }) => sum + testPairs, 0),
      chosen: choice.chosen,
      chosenFrom: rounded(choice.scores),
      settings: { ...rest, offsetS: quantizer.offsetS, steps: quantizer.steps, batch: quantizer.batch },
      missing: Array.from({ length: foldCount }, (_, fold) => fold)
        .filter((fold) => !done.has(fold))
        .map((fold) => `fold ${fold}`),
    },
  });
}
