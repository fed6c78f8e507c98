import { describe, expect, it } from "@jest/globals";
import type { z } from "zod";
import { createRng } from "#core/rng.ts";
import { flattenTree, type HostArray, mapTree, type Tree, tf, unflattenTree } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { quantizerBatch } from "#lapa/quantizer/batches.ts";
import { type QuantizerModelConfig, quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { scalarGrid } from "#lapa/quantizer/finite-scalars.ts";
import { quantizerLoss } from "#lapa/quantizer/loss.ts";
import { decodeFrame, initQuantizer, type QuantizerParameters } from "#lapa/quantizer/model.ts";
import { completeQuantizerConfig } from "#lapa/quantizer/train.ts";
import { slopes } from "../../engine/gradcheck.ts";
import { movingSquares, smallQuantizer } from "./moving-squares.ts";

const squares = movingSquares();
const source = { frames: squares.frames, pairs: squares.train };
const configOf = ({ model = {}, ...given }: z.input<typeof quantizerTrainConfig> = {}) =>
  completeQuantizerConfig(
    quantizerTrainConfig.parse({ batch: 8, offsetS: 0.2, ...given, model: { ...smallQuantizer, ...model } }),
    0,
  );
const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
const tensors = (tree: unknown) =>
  mapTree(tree as Tree<HostArray>, ({ data, shape, dtype }) => tf.tensor(data, [...shape], dtype)) as never;
const fsq = { quantization: "fsq", fsqLevels: [3, 3], codebookSize: 9, codeWidth: 2 } as {
  quantization: "fsq";
  fsqLevels: number[];
  codebookSize: number;
  codeWidth: number;
};

describe("the loss with finite scalars", () => {
  const config = configOf({ model: fsq }).model;
  const parameters = initQuantizer(createRng(8), config);
  const { frames, colour, reseed } = quantizerBatch(source, configOf({ batch: 2, model: fsq }), 0);
  const batch = () => ({
    frames: tf.tensor(frames, [2, 2, 16, 16, 3], "float32") as tf.Tensor5D,
    colour: tf.tensor2d(colour, [2, 12]),
    reseed: tf.tensor1d(reseed, "int32"),
  });
  const lossOf = (tree: unknown, model: QuantizerModelConfig) =>
    quantizerLoss(tree as QuantizerParameters<tf.Tensor>, tensors({ vectors: scalarGrid([3, 3]) }), model, batch());

  it("has no commitment term: its weight changes nothing", () => {
    const loss = (commitment: number) => numbers(() => lossOf(tensors(parameters), { ...config, commitment }).loss);
    expect(loss(5)).toEqual(loss(0));
  });

  it("leaves the grid as it is", () => {
    const { extra } = withBackend("cpu", () => lossOf(tensors(parameters), config));
    expect(Array.from((extra as { vectors: tf.Tensor }).vectors.dataSync())).toEqual([...scalarGrid([3, 3]).data]);
  });

  it("has the slope that finite differences measure through the decoder", () => {
    const all = flattenTree(parameters as unknown as Tree<HostArray>);
    const varied = Object.fromEntries(all.filter(([path]) => path.startsWith("decoder")));
    const [measured, predicted] = slopes(
      (inputs) => {
        const fixed = all
          .filter(([path]) => !(path in varied))
          .map(([path, { data, shape }]) => [path, tf.tensor(data, [...shape])] as const);
        return lossOf(unflattenTree<tf.Tensor>([...Object.entries(inputs), ...fixed]), config).loss;
      },
      varied,
      createRng(9),
      2e-3,
    );
    expect(predicted).not.toBe(0);
    expect([predicted]).toBeAllClose([measured], { relative: 0.05, absolute: 1e-4 });
  });
});

describe("the reversal term", () => {
  const part = (antisymmetric: boolean) => {
    const given = configOf({ batch: 2, model: { antisymmetric, reversalWeight: 1, codebookSize: 2 } });
    const { frames, colour, reseed } = quantizerBatch(source, given, 0);
    return numbers(() => {
      const codebook = { vectors: tf.zeros([2, 4]), counts: tf.ones([2]), sums: tf.zeros([2, 4]) };
      const batch = {
        frames: tf.tensor(frames, [2, 2, 16, 16, 3], "float32") as tf.Tensor5D,
        colour: tf.tensor2d(colour, [2, 12]),
        reseed: tf.tensor1d(reseed, "int32"),
      };
      const params = tensors(initQuantizer(createRng(10), given.model));
      return quantizerLoss(params, codebook, given.model, batch).outputs.reversal!;
    })[0]!;
  };

  it("is nothing for an antisymmetric encoder and something for another", () => {
    expect(part(true)).toBeLessThan(1e-8);
    expect(part(false)).toBeGreaterThan(1e-4);
  });
});

describe("the decoder of several offsets", () => {
  it("draws otherwise for another time, and takes none for offsetS", () => {
    const { model } = configOf({ offsetsS: [0.1] });
    // Nothing is drawn before training: give the last layer something to say.
    const named = flattenTree(initQuantizer(createRng(11), model) as unknown as Tree<HostArray>);
    const loud = named.map(([path, array]) =>
      path.includes("toPixels") && path.includes("weight")
        ? ([path, { ...array, data: array.data.map((value) => 100 * value) }] as const)
        : ([path, array] as const),
    );
    const draw = (logTime?: number) =>
      numbers(() =>
        decodeFrame(
          tensors(unflattenTree(loud as never)),
          model,
          tf.zeros([1, 16, 16, 3]),
          tf.ones([1, 1, 4]),
          logTime === undefined ? undefined : tf.tensor2d([[logTime]]),
        ),
      );
    expect(draw(0)).toBeAllClose(draw());
    expect(draw(1)).not.toBeAllClose(draw(), { absolute: 1e-3 });
  });
});
