import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type Executor } from "#engine/index.ts";
import { examineQuantizer } from "#lapa/quantizer/evaluation/examine.ts";
import { probeNames } from "#lapa/quantizer/evaluation/probes.ts";
import { movingSquares } from "../moving-squares.ts";
import { trainOnSquares } from "../train-on-squares.ts";

let executor: Executor;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
});
afterAll(() => executor.dispose());

describe("examineQuantizer", () => {
  it("finds the motion in the codes of a trained quantizer, its bound above its controls", async () => {
    const found = await examineQuantizer(await trainOnSquares({ model: { stem: "patches" } }, 200, executor), {
      ...movingSquares(),
      most: 200,
      inverseModelSteps: 60,
      executor,
    });
    const r2 = Object.fromEntries(found.probes!.map((row) => [row.name, row.r2]));
    expect(r2[probeNames.codesLine]).toBeGreaterThan(0.8);
    expect(r2[probeNames.untrained]).toBeLessThan(0.7);
    expect(r2[probeNames.inverse]).toBeGreaterThan(0.9);
    expect(Math.abs(r2[probeNames.mean]!)).toBeLessThan(0.1);
    expect(found.information!.positions[0]!.bits).toBeGreaterThan(found.information!.positions[0]!.chanceMostBits);
    expect(found.pictures.aboveCopy.value).toBeGreaterThan(0);
    // Averaged codes are what training sees: no gap by construction.
    expect(found.pictures.trainedAboveHard.value).toBe(0);
    expect(found.antisymmetry).toMatchObject({ stillShare: 1, stillCodes: 1 });
    expect(found.transfer!.own.value).toBeGreaterThan(0.7);
    expect(found.transfer!.swapped.value).toBeGreaterThan(found.transfer!.random.value);
    expect(found.pairs).toEqual({ train: 80, heldOut: 40, clips: 4 });
  });
});
