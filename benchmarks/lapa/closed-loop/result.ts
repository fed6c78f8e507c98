/** @file From cells to a result: success with intervals, paired tests, and how much of the gap each arm closes. */
import { createResult, type Result } from "#core/results.ts";
import { createRng } from "#core/rng.ts";
import { quantile } from "#core/statistics/bootstrap.ts";
import { mcnemar, wilson } from "#core/statistics/proportion.ts";
import type { CellRow } from "./cell.ts";
import {
  type Arm,
  arms,
  type BenchSuite,
  type Condition,
  conditions,
  type Setting,
  scales,
  settings,
} from "./design.ts";

const outcomes = (digits: string): boolean[] => [...digits].map((digit) => digit === "1");
const rate = (digits: string): number => outcomes(digits).filter(Boolean).length / digits.length;

/** Cells that can be compared: one setting, number of labels and condition; per arm the seeds that all arms have. */
type Group = {
  readonly scale: string;
  readonly setting: Setting;
  readonly labelled: number;
  readonly condition: Condition;
  readonly seeds: readonly number[];
  /** Per arm one string of outcomes per seed, tasks in the same order. */
  readonly solved: ReadonlyMap<Arm, readonly string[]>;
};

const groupsOf = (cells: readonly CellRow[]): Group[] =>
  Object.keys(scales).flatMap((scale) =>
    groupsAt(
      scale,
      cells.filter((cell) => cell.scale === scale),
    ),
  );

function groupsAt(scale: string, cells: readonly CellRow[]): Group[] {
  const groups: Group[] = [];
  for (const setting of settings) {
    for (const labelled of [...new Set(cells.map((cell) => cell.labelled))].sort((a, b) => a - b)) {
      const here = cells.filter((cell) => cell.setting === setting && cell.labelled === labelled);
      const present = arms.filter((arm) => here.some((cell) => cell.arm === arm));
      const has = (arm: Arm, seed: number) => here.some((cell) => cell.arm === arm && cell.seed === seed);
      const seeds = [...new Set(here.map(({ seed }) => seed))].sort((a, b) => a - b);
      const whole = seeds.filter((seed) => present.every((arm) => has(arm, seed)));
      if (whole.length === 0) continue;
      for (const condition of conditions) {
        const of = (arm: Arm) =>
          whole.map((seed) => here.find((cell) => cell.arm === arm && cell.seed === seed)!.solved[condition]);
        groups.push({
          scale,
          setting,
          labelled,
          condition,
          seeds: whole,
          solved: new Map(present.map((arm) => [arm, of(arm)])),
        });
      }
    }
  }
  return groups;
}

/**
 * `(arm - scratch) / (actionVla - scratch)` with its 95 % percentile bootstrap interval: seeds are drawn with replacement
 * and within each seed tasks, all arms keeping the same ones.
 */
export function gapClosed(
  arm: readonly string[],
  scratch: readonly string[],
  upper: readonly string[],
  draws = 2000,
): { readonly share: number; readonly low: number; readonly high: number } {
  const rng = createRng("gap-closed");
  const values = [arm, scratch, upper].map((seeds) => seeds.map((digits) => outcomes(digits).map(Number)));
  const ratio = (means: readonly number[]) => (means[0]! - means[1]!) / (means[2]! - means[1]!);
  const ratios = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    const sums = [0, 0, 0];
    for (let place = 0; place < arm.length; place++) {
      const seed = rng.integer(arm.length);
      const count = values[0]![seed]!.length;
      for (let task = 0; task < count; task++) {
        const chosen = rng.integer(count);
        for (let which = 0; which < 3; which++) sums[which] = sums[which]! + values[which]![seed]![chosen]! / count;
      }
    }
    ratios[draw] = ratio(sums);
  }
  const finite = ratios.filter(Number.isFinite).sort();
  const mean = (digits: readonly string[]) => digits.reduce((sum, one) => sum + rate(one), 0) / digits.length;
  const share = ratio([arm, scratch, upper].map(mean));
  return { share, low: quantile(finite, 0.025), high: quantile(finite, 0.975) };
}

function describe({ scale, setting, labelled, condition, seeds, solved }: Group) {
  const all = (arm: Arm) => solved.get(arm)?.join("");
  const success = Object.fromEntries(
    [...solved.keys()].map((arm) => {
      const digits = all(arm)!;
      const { rate: share, low, high } = wilson(outcomes(digits).filter(Boolean).length, digits.length);
      return [arm, { success: share, low, high, perSeed: solved.get(arm)!.map(rate) }];
    }),
  );
  const gap = (arm: Arm) => {
    const [own, scratch, upper] = [solved.get(arm), solved.get("scratch"), solved.get("actionVla")];
    return own && scratch && upper ? gapClosed(own, scratch, upper) : undefined;
  };
  const against = (first: Arm, second: Arm) => {
    const [one, other] = [all(first), all(second)];
    return one && other ? mcnemar(outcomes(one), outcomes(other)) : undefined;
  };
  return {
    ...{
      kind: "comparison",
      scale,
      setting,
      labelled,
      condition,
      seeds,
      rollouts: all([...solved.keys()][0]!)!.length,
    },
    success,
    gapClosed: { vpt: gap("vpt"), lapa: gap("lapa"), lapaImproved: gap("lapaImproved") },
    tests: {
      "lapa, scratch": against("lapa", "scratch"),
      "lapaImproved, scratch": against("lapaImproved", "scratch"),
      "lapaImproved, lapa": against("lapaImproved", "lapa"),
      "lapaImproved, vpt": against("lapaImproved", "vpt"),
    },
  };
}

/** One line per setting and number of labels, for readers of the file. */
function summarise(rows: readonly ReturnType<typeof describe>[]): Result["summary"] {
  const line = (row: ReturnType<typeof describe>) => ({
    ...Object.fromEntries(Object.entries(row.success).map(([arm, { success }]) => [arm, success])),
    ...{ gapClosed: row.gapClosed.lapa?.share, gapClosedImproved: row.gapClosed.lapaImproved?.share },
    ...{ rollouts: row.rollouts, seeds: row.seeds.length },
  });
  return Object.fromEntries(
    rows.map((row) => [`${row.scale}, ${row.setting}, ${row.labelled} labelled, ${row.condition}`, line(row)]),
  );
}

/** The result of all cells that were measured so far. */
export function closedLoopResult(
  suite: BenchSuite,
  cells: readonly CellRow[],
  { command, videos, rollouts }: { readonly command: string; readonly videos: number; readonly rollouts: number },
): Result {
  const comparisons = groupsOf(cells).map(describe);
  return createResult({
    name: `lapa-${suite}`,
    claim:
      `Written before the run. Same backbone, videos (${videos}), labelled episodes and steps for all arms; ${rollouts} tasks per cell and ` +
      "seed, the same for all arms; 3 seeds, or as many as are there. Success: scratch < vpt < lapa < actionVla; lapaImproved above lapa (McNemar, " +
      "two-sided); lapaImproved closes at least 80 % of the gap from scratch to actionVla in-domain and 50 % across " +
      "embodiments (the paper: 76 to 79 % and 37 %). ActionVLA is always pretrained on the robot's own actions.",
    command,
    seeds: [...new Set(cells.map(({ seed }) => seed))].sort((a, b) => a - b),
    rows: [...comparisons, ...cells.map((cell) => ({ kind: "cell", ...cell }))],
    summary: summarise(comparisons),
  });
}
