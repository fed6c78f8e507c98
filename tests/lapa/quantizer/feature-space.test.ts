import { describe, expect, it } from "@jest/globals";
import type { z } from "zod";
import { createRng } from "#core/rng.ts";
import { flattenTree, type HostArray, type Tree, tf, unflattenTree } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { quantizerModelConfig } from "#lapa/quantizer/config.ts";
import {
  type FeatureDecoder,
  featureError,
  initFeatureDecoder,
  predictFeatures,
  standardTokens,
} from "#lapa/quantizer/feature-target.ts";
import { slopes, weigh } from "../../engine/gradcheck.ts";
import { smallQuantizer } from "./moving-squares.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
describe("standardTokens", () => {
  it("makes mean 0 and variance 1 of each token's numbers", () => {
    expect(numbers(() => standardTokens(tf.tensor2d([1, 3, 10, 30], [2, 2])))).toBeAllClose([-1, 1, -1, 1], {
      absolute: 1e-3,
    });
  });
});

describe("featureError", () => {
  const at = (...values: number[]) => tf.tensor3d(values, [1, 1, 2]);

  it("is nothing for the right tokens, and about 1 for those of the first frame", () => {
    expect(numbers(() => featureError(at(0, 0), at(3, 4), at(3, 4)))).toEqual([0]);
    // 25 / (25 + 0.01 * 2)
    expect(numbers(() => featureError(at(0, 0), at(3, 4), at(0, 0)))).toBeAllClose([25 / 25.02]);
  });
});

describe("predictFeatures", () => {
  const config = quantizerModelConfig.parse({ ...smallQuantizer, stem: "patches", target: "own", width: 8 });
  const parameters = initFeatureDecoder(createRng(4), config) as unknown as Tree<HostArray>;
  const arrays = Object.fromEntries(flattenTree(parameters));
  const rng = createRng(5);
  const draw = (count: number) => Float32Array.from({ length: count }, () => rng.normal());
  const [tokens, codes] = [draw(16 * 8), draw(4)];
  const predict = (inputs: Record<string, tf.Tensor>) =>
    predictFeatures(
      unflattenTree<tf.Tensor>(Object.entries(inputs)) as unknown as FeatureDecoder<tf.Tensor>,
      config,
      tf.tensor3d(tokens, [1, 16, 8]),
      tf.tensor3d(codes, [1, 1, 4]),
    );

  it("starts at nearly the first frame's tokens", () => {
    const first = numbers(() =>
      predict(
        Object.fromEntries(
          Object.entries(arrays).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
        ),
      ),
    );
    expect(first).toBeAllClose([...tokens], { absolute: 0.05 });
  });

  it("has the slope that finite differences measure", () => {
    const [measured, predicted] = slopes((inputs) => weigh(predict(inputs)), arrays, createRng(6), 2e-3);
    expect(predicted).not.toBe(0);
    expect([predicted]).toBeAllClose([measured], { relative: 0.02, absolute: 2e-3 });
  });
});

type Given = z.input<typeof quantizerModelConfig>;

describe("the configuration of features", () => {
  it.each<[Given, string]>([
    [{ stem: "encoder" }, "must name a file where stem or target is encoder"],
    [{ target: "own" }, "own needs --model.stem patches, got keypoints"],
    [{ architecture: "published", stem: "patches", target: "own" }, "must be pixels with architecture published"],
  ])("refuses %j", (model, message) => {
    const { error } = quantizerModelConfig.safeParse(model);
    expect(error!.issues.map((issue) => issue.message)).toContainEqual(expect.stringContaining(message));
  });
});
