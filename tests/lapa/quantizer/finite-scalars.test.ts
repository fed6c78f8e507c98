import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { quantizerModelConfig } from "#lapa/quantizer/config.ts";
import { boundScalars, scalarGrid } from "#lapa/quantizer/finite-scalars.ts";
import { nearestCode } from "#lapa/quantizer/vector-quantize.ts";
import { slopes, weigh } from "../../engine/gradcheck.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));

describe("scalarGrid", () => {
  it("counts through the levels, the first scalar fastest", () => {
    const { shape, data } = scalarGrid([3, 2]);
    expect(shape).toEqual([6, 2]);
    expect([...data]).toEqual([-1, -1, 0, -1, 1, -1, -1, 0, 0, 0, 1, 0]);
  });
});

describe("boundScalars", () => {
  const bound = (value: number, levels: number) => numbers(() => boundScalars(tf.tensor2d([[value]]), [levels]))[0]!;

  it("is tanh(z) (L - 1)(1 - ε) / 2 in units of the outermost level for odd L", () => {
    expect(bound(0, 5)).toBe(0);
    expect([bound(0.5, 5)]).toBeAllClose([(Math.tanh(0.5) * 1.998) / 2], { absolute: 1e-6 });
  });

  it("is moved by half a level for even L", () => {
    const half = (3 * 0.999) / 2;
    const expected = (Math.tanh(0.3 + Math.tan(0.5 / half)) * half - 0.5) / 2;
    expect([bound(0.3, 4)]).toBeAllClose([expected], { absolute: 1e-6 });
  });

  it.each([2, 3, 4, 5, 8])("reaches every one of %d levels and no other", (levels) => {
    const reached = Array.from({ length: 401 }, (_, at) =>
      Math.round(bound((at - 200) / 25, levels) * Math.floor(levels / 2)),
    );
    const lowest = -Math.floor(levels / 2);
    expect([...new Set(reached)]).toEqual(Array.from({ length: levels }, (_, index) => lowest + index));
  });

  it("finds by distance what rounding each scalar finds", () => {
    const rng = createRng("rounding");
    const levels = [5, 3];
    const latents = Float32Array.from({ length: 200 }, () => 2 * rng.normal());
    const [codes, scalars] = withBackend("cpu", () =>
      tf.tidy(() => {
        const bounded = boundScalars(tf.tensor2d(latents, [100, 2]), levels);
        const grid = tf.tensor2d(scalarGrid(levels).data as Float32Array, [15, 2]);
        return [nearestCode(bounded, grid).dataSync(), bounded.dataSync()];
      }),
    );
    const rounded = Array.from({ length: 100 }, (_, row) => {
      const [first, second] = [Math.round(2 * scalars[2 * row]!) + 2, Math.round(scalars[2 * row + 1]!) + 1];
      return first + 5 * second;
    });
    expect([...codes]).toEqual(rounded);
  });

  it("has the slope that finite differences measure", () => {
    const latents = {
      z: { shape: [3, 2], dtype: "float32", data: Float32Array.of(0.1, -0.7, 1.2, 0.4, -0.2, 0) },
    } as const;
    const fn = ({ z }: Record<string, tf.Tensor>) => weigh(boundScalars(z as tf.Tensor2D, [4, 5]));
    const [measured, predicted] = slopes(fn, latents, createRng(3), 1e-2);
    expect([predicted]).toBeAllClose([measured], { relative: 1e-2 });
  });
});

describe("the configuration of fsq", () => {
  const parse = (model: object) => quantizerModelConfig.safeParse({ quantization: "fsq", ...model });

  it("wants the sizes that follow from the levels, and says how to pass them", () => {
    expect(parse({ codebookSize: 9, codeWidth: 2 }).success).toBe(true);
    const { error } = parse({ fsqLevels: [5, 5, 5] });
    expect(error!.issues.map(({ message }) => message)).toEqual([
      "must be 125 for levels 5 x 5 x 5, got 8. Pass --model.codebookSize 125",
      "must be 3 for levels 5 x 5 x 5, got 16. Pass --model.codeWidth 3",
    ]);
  });

  it("has one grid for all positions", () => {
    const { error } = parse({ codebookSize: 9, codeWidth: 2, codebooks: "per-position" });
    expect(error!.issues[0]!.message).toContain("must be shared");
  });
});
