import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type Executor } from "#engine/index.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { examineQuantizer } from "#lapa/quantizer/evaluation/examine.ts";
import { trainInverseModel } from "#lapa/quantizer/evaluation/inverse-model.ts";
import { fitMlpProbe } from "#lapa/quantizer/evaluation/mlp-probe.ts";
import { probeNames } from "#lapa/quantizer/evaluation/probes.ts";
import { movingSquares, smallQuantizer } from "../moving-squares.ts";
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

  it("measures the gap between training and hard codes with noise substitution, and nothing that needs truth", async () => {
    const quantizer = await trainOnSquares({ model: { quantization: "nsvq" } }, 3, executor);
    const found = await examineQuantizer(quantizer, {
      ...movingSquares(),
      most: 64,
      inverseModelSteps: 0,
      truth: undefined,
      executor,
    });
    expect(found.pictures.trainedAboveHard.value).not.toBe(0);
    expect([found.probes, found.information, found.distractors, found.transfer]).toEqual([null, null, null, null]);
    expect(found.antisymmetry.motion).toBeUndefined();
  });

  it("refuses to examine without clips that were kept out", async () => {
    const none = { length: 0, clip: new Int32Array(), first: new Int32Array(), second: new Int32Array() };
    const quantizer = await trainOnSquares({}, 1, executor);
    await expect(
      examineQuantizer(quantizer, { ...movingSquares(), most: 64, inverseModelSteps: 0, heldOut: none, executor }),
    ).rejects.toThrow("got none. Raise");
  });
});

describe("fitMlpProbe", () => {
  it("reads what no line can: exclusive or", async () => {
    const x = Array.from({ length: 400 }, (_, row) => [row & 1, (row >> 1) & 1]);
    const y = x.map(([a, b]) => (a! ^ b! ? 1 : -1));
    const predict = await fitMlpProbe(x.flat(), y, { executor, inputs: 2, outputs: 1, steps: 300 });
    expect([...(await predict([0, 0, 0, 1, 1, 0, 1, 1]))]).toBeAllClose([-1, 1, 1, -1], { absolute: 0.2 });
  });
});

describe("trainInverseModel", () => {
  it("tells the motion of pairs that it did not see", async () => {
    const squares = movingSquares();
    const config = quantizerTrainConfig.parse({
      model: smallQuantizer,
      augment: 0,
      polarity: false,
      learningRate: 5e-3,
    });
    const { values } = squares.truth(squares.train);
    const options = { config, executor, frames: squares.frames, pairs: squares.train };
    const model = await trainInverseModel({ ...options, actions: values, width: 1, steps: 80 });
    const told = await model.predict(squares.frames, squares.heldOut);
    await model.dispose();
    const wanted = squares.truth(squares.heldOut).values;
    const misses = told.map((value, pair) => Math.abs(value - wanted[pair]!));
    expect(Math.max(...misses)).toBeLessThan(2);
  });
});
