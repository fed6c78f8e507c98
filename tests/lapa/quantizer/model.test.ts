import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { flattenTree, type HostArray, mapTree, type Tree, tf, unflattenTree } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { quantizerModelConfig } from "#lapa/quantizer/config.ts";
import { quantizerLoss } from "#lapa/quantizer/loss.ts";
import { decodeFrame, encodePairs, initQuantizer, type QuantizerParameters } from "#lapa/quantizer/model.ts";
import { slopes } from "../../engine/gradcheck.ts";

const small = {
  imageSize: 16,
  patchSize: 8,
  width: 8,
  heads: 2,
  keypoints: 3,
  stemChannels: 4,
  decoderDepth: 1,
  codeWidth: 4,
};
const configOf = (given: object = {}) => quantizerModelConfig.parse({ ...small, ...given });
const asTensors = (tree: Tree<HostArray>) =>
  mapTree(tree, ({ data, shape }) => tf.tensor(data, [...shape])) as unknown as QuantizerParameters<tf.Tensor>;
const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));

const rng = createRng("quantizer model");
const noise = (count: number) => Float32Array.from({ length: count }, () => rng.uniform(-1, 1));
const pixels = 16 * 16 * 3;
const firstFrame = noise(pixels);
const secondFrame = noise(pixels);
const pair = (a: Float32Array, b: Float32Array) => tf.tensor([...a, ...b], [1, 2, 16, 16, 3]) as tf.Tensor5D;

describe.each(["keypoints", "patches"] as const)("a quantizer with a stem of %s", (stem) => {
  const config = configOf({ stem });
  const parameters = initQuantizer(createRng(5), config) as unknown as Tree<HostArray>;
  const encode = (a: Float32Array, b: Float32Array, given = config) =>
    numbers(() => encodePairs(asTensors(parameters), given, pair(a, b)));

  it("encodes a pair played backwards as the opposite, and no motion as nothing", () => {
    const forward = encode(firstFrame, secondFrame);
    expect(forward.length).toBe(config.codesPerStep * config.codeWidth);
    expect(Math.max(...forward.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(encode(secondFrame, firstFrame)).toBeAllClose(
      forward.map((value) => -value),
      { absolute: 1e-5 },
    );
    expect(encode(firstFrame, firstFrame)).toBeAllClose(
      forward.map(() => 0),
      { absolute: 1e-6 },
    );
  });

  it("does neither when it is told not to", () => {
    const still = encode(firstFrame, firstFrame, configOf({ stem, antisymmetric: false }));
    expect(Math.max(...still.map(Math.abs))).toBeGreaterThan(1e-3);
  });

  it("draws nearly the first frame before it has learned anything, and moves with the code", () => {
    const draw = (code: number) =>
      numbers(() =>
        decodeFrame(
          asTensors(parameters),
          config,
          tf.tensor(firstFrame, [1, 16, 16, 3]) as tf.Tensor4D,
          tf.fill([1, config.codesPerStep, config.codeWidth], code) as tf.Tensor3D,
        ),
      );
    expect(draw(0)).toBeAllClose([...firstFrame], { absolute: 0.05 });
    expect(draw(0)).not.toEqual(draw(1));
  });
});

describe("quantizerLoss", () => {
  const config = configOf({ stem: "keypoints", codebookSize: 2, codesPerStep: 2, groundingDims: 2 });
  const parameters = initQuantizer(createRng(6), config) as unknown as Tree<HostArray>;
  const codebook = () => ({
    vectors: tf.tensor2d(
      Float32Array.from({ length: 8 }, (_, index) => (index < 4 ? 0.05 : -0.05)),
      [2, 4],
    ),
    counts: tf.ones([2]),
    sums: tf.zeros([2, 4]),
  });
  const frames = Float32Array.from([...firstFrame, ...secondFrame], (value) => 127.5 * (value + 1));
  const batch = (known: number) => ({
    frames: tf.tensor(frames, [1, 2, 16, 16, 3]) as tf.Tensor5D,
    colour: tf.tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], [1, 12]),
    reseed: tf.tensor1d([0, 0], "int32"),
    action: tf.tensor2d([1, -1], [1, 2]),
    known: tf.tensor1d([known]),
  });
  const part = (known: number, name: string) =>
    numbers(() => quantizerLoss(asTensors(parameters), codebook(), config, batch(known)).outputs[name]!);

  it("counts the labels of labelled pairs alone", () => {
    expect(part(0, "grounding")).toEqual([0]);
    expect(part(1, "grounding")[0]).toBeGreaterThan(0.3);
  });

  it("reports which codes were used", () => {
    const use = part(1, "use");
    expect(use.reduce((sum, count) => sum + count, 0)).toBe(2);
    // Two codes of two: both alike, or one alone.
    expect(part(1, "perplexity")).toBeAllClose([use.includes(0) ? 1 : 2], { relative: 1e-4 });
  });

  it("has the slope that finite differences measure, through the decoder and the stem", () => {
    const soft = { ...config, commitment: 0, groundingDims: 2 };
    const named = Object.fromEntries(flattenTree(parameters));
    const decoderOnly = Object.fromEntries(Object.entries(named).filter(([path]) => path.startsWith("decoder")));
    const fixed = Object.entries(named).filter(([path]) => !path.startsWith("decoder"));
    const [measured, predicted] = slopes(
      (inputs) => {
        const rest = fixed.map(([path, { data, shape }]) => [path, tf.tensor(data, [...shape])] as const);
        const tree = unflattenTree<tf.Tensor>([...Object.entries(inputs), ...rest]);
        return quantizerLoss(tree as unknown as QuantizerParameters<tf.Tensor>, codebook(), soft, batch(0)).loss;
      },
      decoderOnly,
      createRng(7),
      2e-3,
    );
    expect(predicted).not.toBe(0);
    expect([predicted]).toBeAllClose([measured], { relative: 0.05, absolute: 1e-4 });
  });
});
