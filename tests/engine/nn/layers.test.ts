import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import {
  attention,
  conv2d,
  crossEntropy,
  embedding,
  flattenTree,
  gelu,
  type HostArray,
  initAttention,
  initConv2d,
  initLayerNorm,
  initLinear,
  initMlp,
  initTransformerBlock,
  layerNorm,
  linear,
  mlp,
  normalArray,
  stopGradient,
  straightThrough,
  type Tree,
  tf,
  transformerBlock,
  unflattenTree,
} from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { slopes, weigh } from "../gradcheck.ts";

const rng = createRng("layers");
const picture = (...shape: number[]) => normalArray(rng, shape, 1);
const onCpu = <T extends tf.TensorContainer>(work: () => T): T => withBackend("cpu", () => tf.tidy(work));
const numbers = (work: () => tf.Tensor): number[] => onCpu(() => Array.from(work().dataSync()));

/** Checks the slope with respect to the parameters and all inputs, along three directions. */
function expectGradient<P>(
  parameters: Tree<HostArray>,
  inputs: Record<string, HostArray>,
  apply: (params: P, inputs: Record<string, tf.Tensor>) => tf.Tensor,
): void {
  const named = flattenTree<HostArray>(parameters).map(([path, leaf]) => [`params.${path}`, leaf] as const);
  const fn = (tensors: Record<string, tf.Tensor>) => {
    const leaves = Object.entries(tensors).filter(([name]) => name.startsWith("params."));
    const tree = unflattenTree(leaves.map(([name, tensor]) => [name.slice("params.".length), tensor] as const));
    return weigh(apply(tree as P, tensors));
  };
  for (let direction = 0; direction < 3; direction++) {
    const [measured, predicted] = slopes(fn, { ...Object.fromEntries(named), ...inputs }, rng, 3e-3);
    expect([predicted]).toBeAllClose([measured], { absolute: 2e-2, relative: 1e-2 });
  }
}

describe("linear", () => {
  const params = () => ({ weight: tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), bias: tf.tensor1d([10, 20]) });

  it("multiplies the last axis, whatever the rank", () => {
    expect(numbers(() => linear(params(), tf.tensor1d([1, 0, 2])))).toEqual([21, 34]);
    expect(numbers(() => linear(params(), tf.tensor2d([1, 0, 2], [1, 3])))).toEqual([21, 34]);
    expect(onCpu(() => linear(params(), tf.zeros([2, 5, 4, 3])).shape)).toEqual([2, 5, 4, 2]);
  });

  it("leaves the bias out when there is none", () => {
    expect(initLinear(rng, { inputs: 3, outputs: 2, bias: false })).not.toHaveProperty("bias");
    expect(numbers(() => linear({ weight: params().weight }, tf.tensor1d([1, 0, 2])))).toEqual([11, 14]);
  });

  it("has the right gradient", () => {
    expectGradient(initLinear(rng, { inputs: 3, outputs: 2 }), { x: picture(2, 4, 3) }, (p: never, { x }) =>
      linear(p, x!),
    );
  });

  it("keeps the variance by default", () => {
    const { data } = initLinear(createRng(1), { inputs: 400, outputs: 100 }).weight;
    const variance = (data as Float32Array).reduce((sum, value) => sum + value * value, 0) / data.length;
    expect([variance * 400]).toBeAllClose([1], { relative: 0.03 });
  });

  it("refuses another width", () => {
    expect(() => onCpu(() => linear(params(), tf.zeros([2, 4])))).toThrow(
      "linear: takes a last axis of 3, got float32[2, 4].",
    );
  });
});

describe("layerNorm", () => {
  const plain = (width: number) => ({ weight: tf.ones([width]), bias: tf.zeros([width]) });

  it("gives each vector mean 0 and variance 1", () => {
    const got = numbers(() => layerNorm(plain(4), tf.tensor2d([1, 3, 5, 7, 0, 0, 0, 0], [2, 4])));
    // mean 4, variance 5
    expect(got).toBeAllClose([-3, -1, 1, 3].map((x) => x / Math.sqrt(5)).concat([0, 0, 0, 0]));
  });

  it("scales and shifts", () => {
    const params = { weight: tf.tensor1d([2, 4]), bias: tf.tensor1d([1, -1]) };
    expect(numbers(() => layerNorm(params, tf.tensor1d([3, 5])))).toBeAllClose([-1, 3], { absolute: 1e-4 });
  });

  it("has the right gradient", () => {
    const params = { weight: picture(5), bias: picture(5) };
    expectGradient(params, { x: picture(2, 3, 5) }, (p: never, { x }) => layerNorm(p, x!));
  });

  it("refuses another width", () => {
    expect(() => onCpu(() => layerNorm(plain(3), tf.zeros([2, 4])))).toThrow("layerNorm: takes a last axis of 3");
  });
});

describe("gelu and mlp", () => {
  it("weighs by the normal distribution function", () => {
    // x Φ(x); Φ(1) = 0.841345, Φ(-2) = 0.0227501
    expect(numbers(() => gelu(tf.tensor1d([0, 1, -2, 10])))).toBeAllClose([0, 0.841345, -0.0455003, 10]);
  });

  it("has the right gradient", () => {
    expectGradient({}, { x: picture(12) }, (_: never, { x }) => gelu(x!));
    expectGradient(initMlp(rng, { width: 4, hidden: 6 }), { x: picture(2, 3, 4) }, (p: never, { x }) => mlp(p, x!));
  });
});

describe("attention", () => {
  const params = initAttention(rng, { width: 6, heads: 2 });
  const tensors = () =>
    unflattenTree(
      flattenTree<HostArray>(params).map(([path, { data, shape }]) => [path, tf.tensor(data, [...shape])] as const),
    ) as never;
  const x = picture(2, 4, 6);
  const tokens = () => tf.tensor(x.data, [2, 4, 6]) as tf.Tensor3D;

  /** With V and the output as identities and Q, K zero, every token sees the mean of what it may see. */
  const averaging = () => {
    const zero = { weight: tf.zeros([2, 2]), bias: tf.zeros([2]) };
    const same = { weight: tf.eye(2), bias: tf.zeros([2]) };
    return { query: zero, key: zero, value: same, output: same };
  };
  const values = () => tf.tensor3d([2, 0, 4, 2, 9, 10], [1, 3, 2]);

  it("averages what is seen when nothing stands out", () => {
    expect(numbers(() => attention(averaging(), values(), { heads: 1 }))).toBeAllClose([5, 4, 5, 4, 5, 4]);
  });

  it("sees only what came before when it is causal", () => {
    const got = numbers(() => attention(averaging(), values(), { heads: 2, causal: true }));
    expect(got).toBeAllClose([2, 0, 3, 1, 5, 4]);
  });

  it("takes causal tokens as the last ones of a longer context", () => {
    const last = () => tf.slice(values(), [0, 1, 0], [1, 2, 2]);
    const got = numbers(() => attention(averaging(), last(), { heads: 1, causal: true, context: values() }));
    expect(got).toBeAllClose([3, 1, 5, 4]);
  });

  it("looks only where the mask allows", () => {
    const mask = () => tf.tensor4d([1, 0, 1], [1, 1, 1, 3], "bool");
    const got = numbers(() => attention(averaging(), values(), { heads: 1, mask: mask() }));
    expect(got).toBeAllClose([5.5, 5, 5.5, 5, 5.5, 5]);
  });

  it("looks at another sequence", () => {
    const context = () => tf.tensor3d([1, 2, 3, 6], [1, 2, 2]);
    const got = numbers(() => attention(averaging(), values(), { heads: 1, context: context() }));
    expect(got).toBeAllClose([2, 4, 2, 4, 2, 4]);
  });

  it("gives the same first tokens for a shorter sequence when it is causal", () => {
    const whole = numbers(() => tf.slice(attention(tensors(), tokens(), { heads: 2, causal: true }), 0, [2, 2, 6]));
    const short = numbers(() => attention(tensors(), tf.slice(tokens(), 0, [2, 2, 6]), { heads: 2, causal: true }));
    expect(short).toBeAllClose(whole);
  });

  it("has the right gradient", () => {
    expectGradient(params, { x, context: picture(2, 3, 6) }, (p: never, { x, context }) =>
      attention(p, x as tf.Tensor3D, { heads: 2, context: context as tf.Tensor3D }),
    );
    expectGradient(params, { x }, (p: never, { x }) => attention(p, x as tf.Tensor3D, { heads: 3, causal: true }));
  });

  it("refuses heads that do not divide the width and contexts that do not fit", () => {
    expect(() => initAttention(rng, { width: 6, heads: 4 })).toThrow("multiple of the heads, got width 6 and 4 heads");
    expect(() => onCpu(() => attention(tensors(), tokens(), { heads: 4 }))).toThrow("width 6 is not a multiple of 4");
    expect(() => onCpu(() => attention(tensors(), tokens(), { heads: 2, context: tf.zeros([1, 4, 6]) }))).toThrow(
      "attention: float32[2, 4, 6] cannot look at a context float32[1, 4, 6].",
    );
  });
});

describe("transformerBlock", () => {
  it("has the right gradient with and without a context", () => {
    const config = { width: 4, heads: 2 };
    expectGradient(initTransformerBlock(rng, config), { x: picture(1, 3, 4) }, (p: never, { x }) =>
      transformerBlock(p, x as tf.Tensor3D, { heads: 2, causal: true }),
    );
    const inputs = { x: picture(1, 3, 4), context: picture(1, 2, 4) };
    expectGradient(initTransformerBlock(rng, { ...config, cross: true }), inputs, (p: never, { x, context }) =>
      transformerBlock(p, x as tf.Tensor3D, { heads: 2, context: context as tf.Tensor3D }),
    );
  });
});

describe("embedding", () => {
  it("takes rows, and its gradient adds up where a row was taken twice", () => {
    const weight = normalArray(rng, [4, 3], 1);
    const ids = { shape: [2, 3], dtype: "int32", data: Int32Array.of(0, 2, 2, 3, 2, 0) } as const;
    expectGradient({ weight }, { ids }, (p: never, { ids }) => embedding(p, ids!));
    const got = numbers(() =>
      embedding({ weight: tf.tensor2d([1, 2, 3, 4], [2, 2]) }, tf.tensor1d([1, 0, 1], "int32")),
    );
    expect(got).toEqual([3, 4, 1, 2, 3, 4]);
  });
});

describe("crossEntropy", () => {
  const labels = (...values: number[]) => tf.tensor1d(values, "int32");

  it("is the logarithm of the number of classes when nothing stands out", () => {
    expect(numbers(() => crossEntropy(tf.zeros([2, 4]), labels(1, 3)))).toBeAllClose([Math.log(4)]);
  });

  it("stays finite for large logits", () => {
    expect(numbers(() => crossEntropy(tf.tensor2d([1000, 0, -1000, 0], [2, 2]), labels(0, 0)))).toBeAllClose([500]);
  });

  it("weighs rows by the mask, and is 0 when nothing counts", () => {
    const logits = () => tf.tensor2d([0, 0, 5, 0], [2, 2]);
    expect(numbers(() => crossEntropy(logits(), labels(0, 0), { mask: tf.tensor1d([1, 0]) }))).toBeAllClose([
      Math.log(2),
    ]);
    expect(numbers(() => crossEntropy(logits(), labels(0, 0), { mask: tf.zeros([2]) }))).toEqual([0]);
  });

  it("spreads a share of the target over all classes when it smooths", () => {
    // -0.9 log p0 - 0.1 mean(log p), with p = (0.8, 0.2)
    const want = -0.9 * Math.log(0.8) - 0.05 * (Math.log(0.8) + Math.log(0.2));
    const logits = () => tf.tensor2d([Math.log(4), 0], [1, 2]);
    expect(numbers(() => crossEntropy(logits(), labels(0), { smoothing: 0.1 }))).toBeAllClose([want]);
  });

  it("has the right gradient", () => {
    const at = { shape: [3], dtype: "int32", data: Int32Array.of(0, 4, 2) } as const;
    expectGradient({}, { logits: picture(3, 5), at }, (_: never, { logits, at }) =>
      crossEntropy(logits as tf.Tensor2D, at as tf.Tensor1D, { smoothing: 0.2, mask: tf.tensor1d([1, 0.5, 0]) }),
    );
  });

  it("refuses labels that are not one per row", () => {
    expect(() => onCpu(() => crossEntropy(tf.zeros([2, 4]), labels(1)))).toThrow(
      "crossEntropy: float32[2, 4] needs 2 labels, got int32[1].",
    );
  });
});

describe("conv2d", () => {
  it("sums windows and adds the bias", () => {
    const params = { weight: tf.ones([3, 3, 1, 1]), bias: tf.tensor1d([0.5]) };
    const got = numbers(() => conv2d(params, tf.ones([1, 3, 3, 1])));
    expect(got).toEqual([4.5, 6.5, 4.5, 6.5, 9.5, 6.5, 4.5, 6.5, 4.5]);
    expect(onCpu(() => conv2d(params, tf.ones([1, 5, 5, 1]), { stride: 2, padding: "valid" }).shape)).toEqual([
      1, 2, 2, 1,
    ]);
  });

  it("has the right gradient", () => {
    const params = initConv2d(rng, { size: 3, inputs: 2, outputs: 3 });
    expectGradient(params, { x: picture(2, 5, 6, 2) }, (p: never, { x }) => conv2d(p, x as tf.Tensor4D, { stride: 2 }));
  });

  it("refuses another number of channels", () => {
    const params = { weight: tf.ones([3, 3, 2, 1]) };
    expect(() => onCpu(() => conv2d(params, tf.ones([1, 3, 3, 1])))).toThrow("conv2d: takes a last axis of 2");
  });
});

describe("gradient flow", () => {
  it("stops at stopGradient", () => {
    const gradient = () => tf.grad((x) => tf.sum(tf.mul(x, stopGradient(tf.square(x)))))(tf.tensor1d([3]));
    expect(numbers(gradient)).toEqual([9]);
  });

  it("passes through straightThrough as if the values had not changed", () => {
    expect(numbers(() => straightThrough(tf.tensor1d([0.4]), tf.tensor1d([1])))).toEqual([1]);
    const gradient = () => tf.grad((x) => tf.sum(tf.mul(straightThrough(x, tf.round(x)), 3)))(tf.tensor1d([0.4, 1.6]));
    expect(numbers(gradient)).toEqual([3, 3]);
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    numbers(() => tf.grad((x) => tf.sum(straightThrough(tf.mul(x, 2), stopGradient(x))))(tf.tensor1d([1])));
    expect(tf.memory().numTensors).toBe(before);
  });
});

it("initial values are those of the seed", () => {
  const make = () => flattenTree<HostArray>(initTransformerBlock(createRng(3), { width: 8, heads: 2 }));
  expect(make()).toEqual(make());
  expect(initLayerNorm(2)).toEqual({
    weight: { shape: [2], dtype: "float32", data: Float32Array.of(1, 1) },
    bias: { shape: [2], dtype: "float32", data: Float32Array.of(0, 0) },
  });
});
