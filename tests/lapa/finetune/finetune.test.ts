import { describe, expect, it } from "@jest/globals";
import { fitActionTokenizer } from "#core/actions/bins.ts";
import type { DatasetInfo } from "#core/contracts/episode.ts";
import { tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { actionSpaceOf } from "#lapa/finetune/action-space.ts";
import { finetuneConfig } from "#lapa/finetune/config.ts";
import { readActions } from "#lapa/finetune/model.ts";
import { stagesOf } from "#lapa/finetune/train.ts";
import { cutDemonstrations } from "#lapa/finetune/train-step.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));

describe("cutDemonstrations", () => {
  it("pairs every frame with the next actions and marks what lies behind the end", () => {
    const clips = [3, 1].map((frames) => ({
      name: "",
      path: "",
      frames,
      timestampsS: new Float64Array(frames),
      hash: "",
    }));
    const frames = { size: 4, clips, read: () => undefined };
    const tokenizer = fitActionTokenizer([0, 1, 2, 3], 1, 8);
    const actions = [Float32Array.of(3, 1, 2), Float32Array.of(0)];
    const cut = cutDemonstrations(frames, [], actions, tokenizer, 2);
    expect([...cut.samples.clip]).toEqual([0, 0, 0, 1]);
    expect([...cut.samples.frame]).toEqual([0, 1, 2, 0]);
    expect([...cut.bins]).toEqual([3, 1, 1, 2, 2, 0, 0, 0]);
    expect([...cut.mask]).toEqual([1, 1, 1, 1, 1, 0, 1, 0]);
  });
});

describe("readActions", () => {
  // Dimension 0 has bins -1, 0, 1; dimension 1 has 5 and 7 alone.
  const centres = () => tf.tensor2d([-1, 0, 1, 5, 7, 0], [2, 3]);
  const exists = () => tf.tensor2d([1, 1, 1, 1, 1, 0], [2, 3]);
  const logits = (rows: number[][]) => tf.tensor(rows.flat(), [1, rows.length, 3]) as tf.Tensor3D;
  const read = (rows: number[][], decoding: "mean" | "argmax") =>
    numbers(() => readActions(logits(rows), centres(), exists(), decoding));

  it("takes the likeliest bin, never one that the dimension does not have", () => {
    expect(
      read(
        [
          [0, 0, 3],
          [1, 0, 9],
        ],
        "argmax",
      ),
    ).toEqual([1, 5]);
  });

  it("takes the expected value over the bins that exist", () => {
    expect(
      read(
        [
          [0, 0, 0],
          [0, 0, 9],
        ],
        "mean",
      ),
    ).toBeAllClose([0, 6]);
  });

  it("keeps steps of a chunk and dimensions apart", () => {
    const rows = [
      [9, 0, 0],
      [9, 0, 0],
      [0, 0, 9],
      [0, 9, 0],
    ];
    expect(read(rows, "argmax")).toEqual([-1, 5, 1, 7]);
  });
});

describe("stagesOf", () => {
  const config = (recipe: string) => finetuneConfig.parse({ recipe, steps: 90, learningRate: 0.01, fullShare: 0.5 });

  it("trains the head first and then everything, more gently", () => {
    expect(stagesOf(config("head-then-full"), true)).toEqual([
      { trunk: false, steps: 30, learningRate: 0.01 },
      { trunk: true, steps: 60, learningRate: 0.005 },
    ]);
    expect(stagesOf(config("head"), true)).toEqual([{ trunk: false, steps: 90, learningRate: 0.01 }]);
  });

  it("trains a fresh backbone whole, whatever the recipe", () => {
    for (const recipe of ["head", "full", "head-then-full"]) {
      expect(stagesOf(config(recipe), false)).toEqual([{ trunk: true, steps: 90, learningRate: 0.01 }]);
    }
  });
});

describe("actionSpaceOf", () => {
  const info = (metadata: object, names: string[] | null) =>
    ({ metadata, features: { action: { dtype: "float32", shape: [2], names } } }) as unknown as DatasetInfo;

  it("believes the data set", () => {
    const space = { kind: "planar-delta", names: ["x", "y"], units: ["m", "m"], limits: { low: [0, 0], high: [1, 1] } };
    expect(actionSpaceOf(info({ actionSpace: space }, null), new Float32Array(2), "joint-position")).toEqual(space);
  });

  it("else takes names and the range that was seen", () => {
    const actions = Float32Array.of(1, -5, 3, 2);
    expect(actionSpaceOf(info({}, ["a", "b"]), actions, "joint-velocity")).toMatchObject({
      kind: "joint-velocity",
      names: ["a", "b"],
      limits: { low: [1, -5], high: [3, 2] },
    });
  });
});
