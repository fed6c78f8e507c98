import { describe, expect, it } from "@jest/globals";
import type { CellRow } from "#benchmarks/lapa/closed-loop/cell.ts";
import { closedLoopResult, gapClosed } from "#benchmarks/lapa/closed-loop/result.ts";

/** `solved` of `count` tasks, the first ones. */
const digits = (solved: number, count = 20) => "1".repeat(solved) + "0".repeat(count - solved);

const cell = (arm: string, solved: number, seed = 0, setting = "in-domain"): CellRow => ({
  ...{ scale: "brief", setting, arm, labelled: 30, seed, recipe: "full", validation: { full: 0.5 } },
  solved: { seen: digits(solved), otherLooks: digits(Math.floor(solved / 2)) },
  ...{ tasks: "0".repeat(20), kinds: ["reach"], seconds: 1, commit: "x" },
});

type Arm = { readonly success: number; readonly perSeed: readonly number[] };
type Comparison = {
  readonly kind: string;
  readonly condition: string;
  readonly success: Readonly<Record<string, Arm>>;
  readonly gapClosed: Readonly<Record<string, { readonly share: number } | undefined>>;
  readonly tests: Readonly<Record<string, unknown>>;
};

const about = { command: "armature bench lapa", videos: 600, rollouts: 20 };

describe("gapClosed", () => {
  it("is the share of the way from scratch to the upper bound, with an interval around it", () => {
    const { share, low, high } = gapClosed([digits(11)], [digits(3)], [digits(13)]);
    expect(share).toBeCloseTo(0.8);
    expect(low).toBeLessThan(0.8);
    expect(high).toBeGreaterThanOrEqual(0.8);
    expect(gapClosed([digits(13)], [digits(3)], [digits(13)])).toMatchObject({ share: 1, low: 1, high: 1 });
  });
});

describe("closedLoopResult", () => {
  const arms = ["scratch", "vpt", "lapa", "lapaImproved", "actionVla"];

  it("compares arms on the seeds that all of them have", () => {
    const cells = [0, 1].flatMap((seed) => arms.map((arm, place) => cell(arm, 2 + 4 * place + seed, seed)));
    const { rows, summary } = closedLoopResult("push", [...cells, cell("scratch", 20, 2)], about);
    const [seen, other] = rows as unknown as Comparison[];
    expect(seen).toMatchObject({ setting: "in-domain", condition: "seen", seeds: [0, 1], rollouts: 40 });
    expect(seen!.success.scratch).toMatchObject({ success: 0.125, perSeed: [0.1, 0.15] });
    expect(seen!.gapClosed.lapa!.share).toBeCloseTo(0.5);
    expect(seen!.tests["lapaImproved, lapa"]).toMatchObject({ onlyFirst: 8, onlySecond: 0 });
    expect(other!.condition).toBe("otherLooks");
    expect(summary["brief, in-domain, 30 labelled, seen"]).toMatchObject({ scratch: 0.125, seeds: 2, rollouts: 40 });
    // The lone cell of a third seed is kept, but not compared.
    expect(rows.filter(({ kind }) => kind === "cell")).toHaveLength(11);
  });

  it("never compares cells of different scales", () => {
    const smoke = { ...cell("lapa", 20), scale: "smoke" };
    const { rows } = closedLoopResult("push", [cell("scratch", 2), smoke], about);
    const comparisons = rows.filter(({ kind }) => kind === "comparison") as unknown as Comparison[];
    expect(comparisons.map(({ success }) => Object.keys(success))).toEqual([
      ...[["scratch"], ["scratch"]],
      ...[["lapa"], ["lapa"]],
    ]);
  });

  it("leaves out what was not measured, and names no gap without both ends", () => {
    const { rows } = closedLoopResult("push", [cell("lapa", 5), cell("scratch", 1)], about);
    const [seen] = rows as unknown as Comparison[];
    expect(Object.keys(seen!.success)).toEqual(["scratch", "lapa"]);
    expect(seen!.gapClosed.lapa).toBeUndefined();
    expect(seen!.tests["lapaImproved, lapa"]).toBeUndefined();
  });
});
