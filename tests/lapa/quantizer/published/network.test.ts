import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { createExecutor, flattenTree, type HostArray, mapTree, type Tree, tf, unflattenTree } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { quantizerBatch } from "#lapa/quantizer/batches.ts";
import { quantizerModelConfig, quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { initQuantizer, type QuantizerParameters } from "#lapa/quantizer/model.ts";
import { quantizerPresets } from "#lapa/quantizer/presets.ts";
import { drawnArrays } from "#lapa/quantizer/published/arrays.ts";
import {
  codeTokens,
  codeWindow,
  countPublishedParameters,
  decodePublished,
  encodePublished,
  encodeTokens,
  gridAsReleased,
  gridOfTime,
  initPublishedNetwork,
  type PublishedNetwork,
} from "#lapa/quantizer/published/network.ts";
import { createQuantizerStep } from "#lapa/quantizer/train-step.ts";
import { slopes, weigh } from "../../../engine/gradcheck.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
const small = {
  ...quantizerPresets["paper-small"].model,
  imageSize: 16,
  patchSize: 4,
  width: 8,
  heads: 2,
  codeWidth: 4,
};
const configOf = (given: object = {}) => quantizerModelConfig.parse({ ...small, codesPerStep: 1, ...given });
const asTensors = (tree: Tree<HostArray>) =>
  mapTree(tree, ({ data, shape }) => tf.tensor(data, [...shape])) as unknown as PublishedNetwork<tf.Tensor>;

describe("the published size", () => {
  it("has 343,796,080 parameters, block by block", () => {
    const parts = countPublishedParameters(quantizerModelConfig.parse(quantizerPresets.paper.model));
    expect(parts).toEqual({
      patches: 3_154_944,
      positionBias: 1_069_072,
      spatial: 100_911_104,
      temporal: 100_911_104,
      // 1024 x 32 in, two 3 x 3 convolutions of 32 channels, 32 x 1024 out; 256 numbers more are the codebook
      bottleneck: 32_800 + 2 * 9_248 + 33_792,
      decoder: 134_515_712,
      toPixels: 3_148_800,
      codebook: 256,
    });
    expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(343_796_080);
  });

  it.each([
    [8, 4, [3, 3]],
    [8, 1, [4, 4]],
    [8, 2, [3, 4]],
    [4, 2, [1, 2]],
  ])("takes on a grid of side %d for %d codes a window of %j", (side, codes, window) => {
    expect(codeWindow(side, codes)).toEqual(window);
  });

  it("refuses a number of codes that fills no rectangle", () => {
    expect(() => codeWindow(8, 7)).toThrow("must fill a rectangle within 4 x 4, got 7");
  });
});

describe("the three readings", () => {
  it("lay codes out as tokens, or as released: features of all codes in each token", () => {
    const codes = () => tf.tensor3d([1, 2, 3, 4, 5, 6], [1, 2, 3]); // codes (1, 2, 3) and (4, 5, 6)
    expect(numbers(() => codeTokens(codes(), false))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(numbers(() => codeTokens(codes(), true))).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it("give the convolution over time its frames, or as released: frames mixed", () => {
    // tokens p0t0 p0t1 p1t0 p1t1 p2t0 p2t1 p3t0 p3t1 as 0, 1, 10, 11, 20, 21, 30, 31
    const tokens = () => tf.tensor3d([0, 1, 10, 11, 20, 21, 30, 31], [4, 2, 1]);
    expect(numbers(() => gridOfTime(tokens(), 1, 2))).toEqual([0, 10, 20, 30, 1, 11, 21, 31]);
    expect(numbers(() => gridAsReleased(tokens(), 1, 2))).toEqual([0, 1, 10, 11, 20, 21, 30, 31]);
  });

  it("hide the second frame from the first one's tokens, or as released do not", () => {
    const network = initPublishedNetwork(drawnArrays(createRng(1)), configOf()) as unknown as Tree<HostArray>;
    const picture = (seed: number) => {
      const rng = createRng(seed);
      return Float32Array.from({ length: 16 * 16 * 3 }, () => rng.uniform(-1, 1));
    };
    const firstTokens = (second: number, parity: boolean) =>
      numbers(() => {
        const frames = tf.tensor([...picture(2), ...picture(second)], [1, 2, 16, 16, 3]) as tf.Tensor5D;
        return tf.slice(encodeTokens(asTensors(network), configOf({ parity }), frames), 0, 1);
      });
    expect(firstTokens(3, false)).toBeAllClose(firstTokens(4, false), { absolute: 1e-6 });
    expect(firstTokens(3, true)).not.toBeAllClose(firstTokens(4, true), { absolute: 1e-3 });
  });
});

describe("the published network", () => {
  const config = configOf({ spatialDepth: 1, temporalDepth: 1, decoderDepth: 1 });
  const network = initPublishedNetwork(drawnArrays(createRng(5)), config);
  const arrays = Object.fromEntries(flattenTree(network as unknown as Tree<HostArray>));
  const rng = createRng(6);
  const frames = Float32Array.from({ length: 2 * 16 * 16 * 3 }, () => rng.uniform(-1, 1));
  const pair = () => tf.tensor(frames, [1, 2, 16, 16, 3]) as tf.Tensor5D;
  const build = (inputs: Record<string, tf.Tensor>) =>
    unflattenTree<tf.Tensor>(Object.entries(inputs)) as unknown as PublishedNetwork<tf.Tensor>;

  it("has the slopes that finite differences measure, in the encoder and in the decoder", () => {
    const first = () => tf.tensor(frames.subarray(0, 768), [1, 16, 16, 3]) as tf.Tensor4D;
    const codes = () => tf.tensor3d([0.5, -1, 2, 0.1], [1, 1, 4]);
    for (const fn of [
      (inputs: Record<string, tf.Tensor>) => weigh(encodePublished(build(inputs), config, pair())),
      (inputs: Record<string, tf.Tensor>) => weigh(decodePublished(build(inputs), config, first(), codes())),
    ]) {
      const whole = (inputs: Record<string, tf.Tensor>) => fn(inputs);
      const isDecoder = fn.toString().includes("decodePublished");
      const names = Object.keys(arrays).filter((path) => {
        if (path.includes("contextNorm")) return false;
        // Queries are cut off from the patches that they came from.
        const ofDecoder = /^(decoder|toPixels|positionBias|bottleneck\/leave|bottleneck\.leave)/.test(path);
        const ofEncoder = !/^(decoder|toPixels|bottleneck.leave)/.test(path);
        return isDecoder ? ofDecoder : ofEncoder;
      });
      const varied = Object.fromEntries(names.map((name) => [name, arrays[name]!]));
      const [measured, predicted] = slopes(
        (inputs) => {
          const fixed = Object.entries(arrays)
            .filter(([name]) => !(name in varied))
            .map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])] as const);
          return whole({ ...Object.fromEntries(fixed), ...inputs });
        },
        varied,
        createRng(7),
        1e-3,
      );
      expect(predicted).not.toBe(0);
      expect([predicted]).toBeAllClose([measured], { relative: 0.05, absolute: 2e-3 });
    }
  });

  it("trains through the engine: a step learns one batch, codes included", async () => {
    const given = quantizerTrainConfig.parse({
      ...quantizerPresets["paper-small"],
      batch: 4,
      model: { ...small, spatialDepth: 1, temporalDepth: 1, decoderDepth: 1 },
      steps: 20,
    });
    const read = (_: number, frame: number, out: Uint8Array, offset: number) => {
      for (let at = 0; at < 768; at++) out[offset + at] = Math.floor(at / 48) === frame + 2 ? 255 : 0;
    };
    const source = {
      frames: { size: 16, clips: [], read } as never,
      pairs: {
        length: 8,
        clip: new Int32Array(8),
        first: Int32Array.from({ length: 8 }, (_, at) => at),
        second: Int32Array.from({ length: 8 }, (_, at) => at + 2),
      },
    };
    const executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
    const step = await createQuantizerStep(given, executor);
    try {
      const before = (await step.state()).parameters as unknown as QuantizerParameters;
      const losses: number[] = [];
      for (let at = 0; at < 20; at++) {
        const outputs = await step.run(quantizerBatch(source, given, at % 2), { learningRate: 3e-3 });
        losses.push(outputs.loss!.data[0]!);
      }
      const after = (await step.state()).parameters as unknown as QuantizerParameters;
      expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
      expect([...after.codes!.data]).not.toBeAllClose([...before.codes!.data], { absolute: 1e-3 });
      expect(step.unreached.every((path) => path.includes("contextNorm"))).toBe(true);
    } finally {
      await step.dispose();
      await executor.dispose();
    }
  }, 30_000);
});

describe("initQuantizer", () => {
  it("makes the published network with trained codes", () => {
    const parameters = initQuantizer(createRng(1), configOf());
    expect("published" in parameters).toBe(true);
    expect(parameters.codes?.shape).toEqual([8, 4]);
  });
});
