import { describe, expect, it } from "@jest/globals";
import type { PushGoal } from "#world/suites/push/goal.ts";
import type { Point } from "#world/suites/push/plane.ts";
import { isPushMet, readTruth, verifyPush } from "#world/suites/push/verifier.ts";
import { pushGoal, pushLog, type Row } from "./push-log.ts";

const far: Point = [0.2, -0.2];
const blue: Point = [0.1, 0.1];
/** Red slides to 8 cm beside blue, 2 cm a step: a gap of 1.2 cm. */
const goal = pushGoal({ reference: "blue-cube" });
const redAt = (x: number): Row => ({
  tip: [x - 0.054, 0.1],
  blocks: { "red-cylinder": [x, 0.1], "blue-cube": blue, "green-pentagon": far },
});
const solved: readonly Row[] = [-0.06, -0.04, -0.02, 0, 0.02, 0.02].map(redAt);

const judge = (rows: readonly Row[], asked: PushGoal = goal) => verifyPush(pushLog(rows), asked);
/** The solved log with one row changed. */
const changed = (at: number, change: (row: Row) => Row) =>
  solved.map((row, index) => (index === (at + solved.length) % solved.length ? change(row) : row));
const moved = (row: Row, id: string, to: Point): Row => ({ ...row, blocks: { ...row.blocks, [id]: to } });

describe("verifyPush", () => {
  it("accepts a push that holds", () => {
    expect(judge(solved)).toEqual({ success: true, reasons: [] });
    expect(isPushMet(pushLog(solved), goal)).toBe(true);
  });

  it("rejects a block that was teleported there", () => {
    const { success, reasons } = judge([redAt(-0.2), redAt(0.02), redAt(0.02)]);
    expect(success).toBe(false);
    expect(reasons).toEqual(["the red cylinder jumped 0.22 m in one step"]);
  });

  it("rejects a jump of any block, there and back", () => {
    const { reasons } = judge(changed(2, (row) => moved(row, "green-pentagon", [0, -0.2])));
    expect(reasons).toEqual(["the green pentagon jumped 0.20 m in one step"]);
  });

  it("rejects a block that was lifted or tipped into place", () => {
    const lifted = changed(-1, (row) => ({ ...row, heights: { "red-cylinder": 0.04 } }));
    expect(judge(lifted).reasons).toEqual(["the red cylinder does not lie flat on the table"]);
  });

  it("rejects when another block was pushed out of view", () => {
    const away = Array.from(
      { length: 8 },
      (_, step): Row => moved(redAt(0.02), "green-pentagon", [0.2 + 0.03 * step, -0.2]),
    );
    expect(judge(away).reasons).toEqual(["the green pentagon left the view"]);
  });

  it("rejects the wrong block at the right place", () => {
    const wrong = solved.map((row) =>
      moved(moved(row, "green-pentagon", row.blocks["red-cylinder"]!), "red-cylinder", far),
    );
    expect(judge(wrong).reasons).toEqual(["the red cylinder is 248 mm from the blue cube"]);
  });

  it("rejects what is held too short", () => {
    expect(judge(changed(-2, () => redAt(0))).success).toBe(false);
    expect(isPushMet(pushLog(changed(-2, () => redAt(0))), goal)).toBe(false);
    expect(judge(solved, { ...goal, holdSteps: 3 }).success).toBe(false);
    expect(judge(solved.slice(-1)).reasons).toEqual(["the episode is too short to hold the condition"]);
  });

  it("rejects numbers that are none", () => {
    const broken = changed(-1, (row) => moved(row, "red-cylinder", [Number.NaN, 0.1]));
    expect(judge(broken).success).toBe(false);
  });

  it("rejects an empty log", () => {
    expect(judge([])).toEqual({ success: false, reasons: ["the log is empty"] });
  });

  it("knows nothing of who acted: equal logs, equal verdicts, nothing changed", () => {
    const log = pushLog(solved);
    const before = log.rows.map((row) => [...row]);
    expect(verifyPush(log, goal)).toEqual(verifyPush(pushLog(solved), goal));
    expect(log.rows.map((row) => [...row])).toEqual(before);
  });
});

describe("readTruth", () => {
  it("finds tip, centres and heights by their names", () => {
    const truth = readTruth(pushLog(solved), 0);
    expect(truth.tip).toBeAllClose([-0.114, 0.1]);
    expect(Object.keys(truth.blocks)).toEqual(["red-cylinder", "blue-cube", "green-pentagon"]);
    expect(truth.blocks["blue-cube"]).toEqual([0.1, 0.1]);
    expect(truth.heights["red-cylinder"]).toBe(0.02);
  });
});
