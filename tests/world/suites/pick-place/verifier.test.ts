import { describe, expect, it } from "@jest/globals";
import type { Vector3 } from "#core/geometry/quaternion.ts";
import { type PickGoal, readPickTruth } from "#world/suites/pick-place/goal.ts";
import { isPickMet, verifyPick } from "#world/suites/pick-place/verifier.ts";
import { pickGoal, pickLog, type Row } from "./pick-log.ts";

const yellow: Vector3 = [0.1, 0, 0.02];
const away: Vector3 = [0.1, 0, 0.2];
const row = (green: Vector3, tip: Vector3, opening: number): Row => ({
  tip,
  opening,
  things: { "green-cube": green, "yellow-cube": yellow, "red-cube": [-0.1, 0, 0.02] },
});
/** Green is carried over, set down on yellow, let go, and the gripper leaves. */
const solved: readonly Row[] = [
  row([0, 0, 0.1], [0, 0, 0.1], 0.5),
  row([0.05, 0, 0.1], [0.05, 0, 0.1], 0.5),
  row([0.1, 0.004, 0.1], [0.1, 0.004, 0.1], 0.5),
  row([0.1, 0.004, 0.061], [0.1, 0.004, 0.061], 0.5),
  row([0.1, 0.004, 0.06], [0.1, 0.004, 0.061], 1),
  row([0.1, 0.004, 0.06], [0.1, 0.004, 0.1], 1),
  row([0.1, 0.004, 0.06], away, 1),
];
const goal = pickGoal({});
const judge = (rows: readonly Row[], asked: PickGoal = goal) => verifyPick(pickLog(rows), asked);
const withGreen = (at: Row, green: Vector3): Row => ({ ...at, things: { ...at.things, "green-cube": green } });

describe("verifyPick", () => {
  it("accepts what is put down and stays", () => {
    expect(judge(solved)).toEqual({ success: true, reasons: [] });
    expect(isPickMet(pickLog(solved), goal)).toBe(true);
  });

  it("rejects what is held there but not let go", () => {
    const held = solved.map((at, index) => (index < 4 ? at : { ...at, tip: at.things["green-cube"]!, opening: 0.5 }));
    expect(judge(held).reasons).toEqual(["the green block is still held"]);
    expect(isPickMet(pickLog(held), goal)).toBe(false);
  });

  it("rejects what was teleported", () => {
    const { reasons } = judge([row([-0.1, 0.1, 0.02], away, 1), ...solved.slice(4)]);
    expect(reasons).toEqual(["the green block jumped 0.23 m in one step"]);
  });

  it("rejects the wrong colour on top", () => {
    const wrong = solved.map((at) => ({
      ...at,
      things: { ...at.things, "red-cube": at.things["green-cube"]!, "green-cube": [-0.1, 0, 0.02] as Vector3 },
    }));
    expect(judge(wrong).reasons).toEqual(["the green block is 200 mm from the yellow block"]);
  });

  it("rejects what lies beside, what leans and what floats", () => {
    const last = (green: Vector3) => judge(solved.map((at, index) => (index < 4 ? at : withGreen(at, green)))).reasons;
    expect(last([0.1, 0.045, 0.02])).toEqual(["the green block is 45 mm from the yellow block"]);
    expect(last([0.1, 0.02, 0.045])).toEqual(["the green block is not on the yellow block"]);
    expect(last([0.1, 0, 0.08])).toEqual(["the green block is not on the yellow block"]);
  });

  it("rejects what still moves and what is held too short", () => {
    const rolling = [...solved.slice(0, -1), withGreen(solved.at(-1)!, [0.1, -0.01, 0.06])];
    expect(judge(rolling).reasons).toEqual(["the green block still moves"]);
    expect(judge(solved.slice(0, 5)).success).toBe(false);
    expect(judge(solved.slice(0, 2)).reasons).toContain("the episode is too short to hold the condition");
  });

  it("rejects when anything fell off the table, and broken numbers", () => {
    const fallen = solved.map((at, index) => ({
      ...at,
      things: { ...at.things, "red-cube": [-0.1 - 0.05 * index, 0, 0.02] as Vector3 },
    }));
    expect(judge(fallen).reasons).toEqual(["the red block left the table"]);
    const broken = solved.map((at, index) => (index < 6 ? at : withGreen(at, [Number.NaN, 0, 0.06])));
    expect(judge(broken).success).toBe(false);
  });

  it("rejects an empty log", () => {
    expect(judge([]).reasons).toEqual(["the log is empty"]);
  });
});

describe("other conditions", () => {
  const still = (things: Row["things"], drawerM?: number): Row[] =>
    Array.from({ length: 3 }, () => ({ tip: away, opening: 1, things, ...(drawerM === undefined ? {} : { drawerM }) }));
  const reasons = (asked: Partial<PickGoal>, things: Row["things"], drawerM?: number) =>
    judge(still(things, drawerM), pickGoal(asked)).reasons;

  it("of a plate want the thing on it, not beside or under", () => {
    const on = (carrot: Vector3) =>
      reasons({ kind: "put-on", subject: "carrot", target: "plate" }, { carrot, plate: [0, 0, 0.005] });
    expect(on([0.05, 0, 0.024])).toEqual([]);
    expect(on([0.06, 0, 0.024])).toEqual(["the carrot is 60 mm from the plate"]);
    expect(on([0, 0, 0.06])).toEqual(["the carrot does not lie on the plate"]);
    expect(on([0, 0, 0.005])).toEqual(["the carrot does not lie on the plate"]);
  });

  it("of a bowl want the thing in it, below the rim", () => {
    const inside = (eggplant: Vector3) =>
      reasons({ kind: "put-in", subject: "eggplant", target: "bowl" }, { eggplant, bowl: [0, 0, 0.022] });
    expect(inside([0.02, 0.01, 0.025])).toEqual([]);
    expect(inside([0.02, 0.01, 0.07])).toEqual(["the eggplant is not in the bowl"]);
    expect(inside([0.07, 0, 0.02])).toEqual(["the eggplant is 70 mm from the bowl"]);
  });

  it("of near measure between outlines, on the table", () => {
    const near = (carrot: Vector3) =>
      reasons({ kind: "move-near", subject: "carrot", target: "red-cube" }, { carrot, "red-cube": [0, 0, 0.02] });
    expect(near([0.1, 0, 0.014])).toEqual([]);
    expect(near([0.102, 0, 0.014])).toEqual(["the carrot is 31 mm from the red block"]);
    expect(near([0.03, 0, 0.054])).toEqual(["the carrot is not on the table"]);
  });

  it("of a drawer measure how far it is out", () => {
    const things = { cabinet: [0, 0.06, 0.045] as Vector3 };
    const drawer = (kind: PickGoal["kind"], drawerM: number) => {
      const { target: _, ...asked } = pickGoal({ kind, subject: "cabinet" });
      return judge(still(things, drawerM), asked).reasons;
    };
    expect(drawer("open-drawer", 0.08)).toEqual([]);
    expect(drawer("open-drawer", 0.05)).toEqual(["the drawer is only 50 mm open"]);
    expect(drawer("close-drawer", 0.01)).toEqual([]);
    expect(drawer("close-drawer", 0.03)).toEqual(["the drawer is still 30 mm open"]);
  });

  it("say when the goal names a thing that is not there", () => {
    expect(reasons({ target: "bowl" }, { "green-cube": [0, 0, 0.02] })).toEqual([
      "the goal names a thing that is not on the table",
    ]);
  });
});

describe("readPickTruth", () => {
  it("reads tool, opening, poses and drawer by name", () => {
    const log = pickLog([{ tip: [1, 2, 3], opening: 0.25, things: { carrot: [4, 5, 6] }, drawerM: 0.07 }]);
    expect(readPickTruth(log, 0)).toEqual({
      tip: [1, 2],
      blocks: { carrot: [4, 5] },
      tool: { position: [1, 2, 3], quaternion: [1, 0, 0, 0] },
      opening: 0.25,
      things: { carrot: { position: [4, 5, 6], quaternion: [0, 0, 0, 1] } },
      drawerM: 0.07,
    });
  });
});
