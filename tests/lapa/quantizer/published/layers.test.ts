import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { flattenTree, type HostArray, tf, unflattenTree } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { type CosineAttention, cosineAttention } from "#lapa/quantizer/published/cosine-attention.ts";
import { logDistances, type Peg, type PositionBias, peg, positionBias } from "#lapa/quantizer/published/position.ts";
import { type Geglu, geglu, gegluWidth } from "#lapa/quantizer/published/transformer.ts";
import { slopes, weigh } from "../../../engine/gradcheck.ts";

type Numbers = { readonly shape: number[]; readonly data: number[] };
type Goldens = {
  readonly attention: Record<"nulls" | "x" | "context" | "bias" | "self" | "causal" | "cross", Numbers> & {
    readonly weights: Record<string, Numbers>;
  };
  readonly peg: Record<"weight" | "bias" | "x" | "y", Numbers>;
  readonly positionBias: { readonly weights: readonly { weight: Numbers; bias: Numbers }[]; readonly bias: Numbers };
  readonly geglu: Record<"normWeight" | "normBias" | "enter" | "leave" | "x" | "y", Numbers>;
};

/** Written by quantizer_layers.py beside it. */
const goldens = JSON.parse(
  readFileSync(new URL("../../../golden/quantizer_layers.json", import.meta.url), "utf8"),
) as Goldens;
const array = ({ shape, data }: Numbers): HostArray => ({ shape, dtype: "float32", data: Float32Array.from(data) });
/** PyTorch's [out, in] as [in, out]. */
const turned = ({ shape: [outputs, inputs], data }: Numbers): HostArray => ({
  ...{ shape: [inputs!, outputs!], dtype: "float32" as const },
  data: Float32Array.from(
    { length: data.length },
    (_, at) => data[(at % outputs!) * inputs! + Math.floor(at / outputs!)]!,
  ),
});
const tensor = ({ shape, data }: Numbers) => tf.tensor(data, shape);
const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
/** Runs a layer on parameters given as arrays. */
const on = <P>(tree: object, work: (params: P) => tf.Tensor) => {
  const leaves = flattenTree<HostArray>(tree as never);
  return numbers(() =>
    work(
      unflattenTree<tf.Tensor>(
        leaves.map(([path, { data, shape }]) => [path, tf.tensor(data, [...shape])] as const),
      ) as P,
    ),
  );
};
/** Slope of a layer's output along a random direction of all its parameters, measured and predicted. */
const slopesOf = <P>(tree: object, work: (params: P) => tf.Tensor) =>
  slopes(
    (inputs) => weigh(work(unflattenTree<tf.Tensor>(Object.entries(inputs)) as P)),
    Object.fromEntries(flattenTree<HostArray>(tree as never)),
    createRng("layers"),
    1e-3,
  );
const close = { absolute: 2e-5 };

describe("cosineAttention", () => {
  const { weights, nulls, x, context, bias, self, causal, cross } = goldens.attention;
  const own = {
    ...{ norm: array(weights.norm!), contextNorm: array(weights.contextNorm!) },
    ...{ query: { weight: turned(weights.query!) }, keyValue: { weight: turned(weights.keyValue!) } },
    ...{ queryScale: array(weights.queryScale!), keyScale: array(weights.keyScale!) },
    output: { weight: turned(weights.output!) },
  };
  const looking = { ...own, nullKeyValue: array(nulls) };
  const attend =
    (given: object = {}) =>
    (params: CosineAttention<tf.Tensor>) =>
      cosineAttention(params, tensor(x) as tf.Tensor3D, { heads: 2, ...given });
  const crossing = (params: CosineAttention<tf.Tensor>) => attend({ context: tensor(context) })(params);

  it("agrees with PyTorch: over the tokens with a bias, with the future hidden, over a context with two null keys", () => {
    expect(on(own, (params: CosineAttention<tf.Tensor>) => attend({ bias: tensor(bias) })(params))).toBeAllClose(
      self.data,
      close,
    );
    expect(on(own, attend({ causal: true }))).toBeAllClose(causal.data, close);
    expect(on(looking, crossing)).toBeAllClose(cross.data, close);
  });

  it("has the slope that finite differences measure, through null keys, gains and scales", () => {
    const [measured, predicted] = slopesOf(looking, crossing);
    expect(predicted).not.toBe(0);
    expect([predicted]).toBeAllClose([measured], { relative: 0.02, absolute: 5e-3 });
  });

  it("does not care how long queries and keys are, only where they point", () => {
    const longer = {
      ...own,
      query: { weight: { ...own.query.weight, data: own.query.weight.data.map((value) => 7 * value) } },
    };
    expect(on(longer, attend())).toBeAllClose(on(own, attend()), close);
  });
});

describe("peg", () => {
  const { weight, bias, x, y } = goldens.peg;
  const width = weight.shape[0]!;
  // PyTorch's [D, 1, 3, 3, 3] as [3, 3, 3, D, 1].
  const data = Float32Array.from(
    { length: weight.data.length },
    (_, at) => weight.data[(at % width) * 27 + Math.floor(at / width)]!,
  );
  const params = { weight: { shape: [3, 3, 3, width, 1], dtype: "float32" as const, data }, bias: array(bias) };
  const apply = (own: Peg<tf.Tensor>) => peg(own, tensor(x) as tf.Tensor5D);

  it("agrees with PyTorch's depthwise convolution, padded before and never after in time", () => {
    expect(on(params, apply)).toBeAllClose(y.data, close);
  });

  it("shows the first frame nothing of the second", () => {
    const half = x.data.length / 4;
    const other = { ...x, data: x.data.map((value, at) => (Math.floor(at / half) % 2 === 1 ? value + 1 : value)) };
    const seen = on(params, (own: Peg<tf.Tensor>) => peg(own, tensor(other) as tf.Tensor5D));
    const before = on(params, apply);
    expect(seen.slice(0, half)).toBeAllClose(before.slice(0, half), close);
    expect(seen.slice(half, 2 * half)).not.toBeAllClose(before.slice(half, 2 * half), { absolute: 1e-3 });
  });

  it("has the slope that finite differences measure", () => {
    const [measured, predicted] = slopesOf(params, apply);
    expect([predicted]).toBeAllClose([measured], { relative: 0.02, absolute: 5e-3 });
  });
});

describe("positionBias", () => {
  const layers = goldens.positionBias.weights.map(({ weight, bias }) => ({
    weight: turned(weight),
    bias: array(bias),
  }));
  const apply = (own: PositionBias<tf.Tensor>) => positionBias(own, 3);

  it("agrees with PyTorch", () => {
    expect(on(layers, (own: PositionBias<tf.Tensor>) => apply(Object.values(own)))).toBeAllClose(
      goldens.positionBias.bias.data,
      close,
    );
  });

  it("sees signed logarithms of distances in rows and columns: from (0, 0) to (1, 2) and back", () => {
    const distances = logDistances(3);
    const [from, to] = [0, 5];
    expect([...distances.subarray(2 * (from * 9 + to), 2 * (from * 9 + to) + 2)]).toBeAllClose([
      -Math.log(2),
      -Math.log(3),
    ]);
    expect([...distances.subarray(2 * (to * 9 + from), 2 * (to * 9 + from) + 2)]).toBeAllClose([
      Math.log(2),
      Math.log(3),
    ]);
  });

  it("has the slope that finite differences measure", () => {
    const [measured, predicted] = slopesOf(layers, (own: PositionBias<tf.Tensor>) => apply(Object.values(own)));
    expect([predicted]).toBeAllClose([measured], { relative: 0.02, absolute: 5e-3 });
  });
});

describe("geglu", () => {
  const { normWeight, normBias, enter, leave, x, y } = goldens.geglu;
  const params = {
    ...{ norm: { weight: array(normWeight), bias: array(normBias) } },
    ...{ enter: { weight: turned(enter) }, leave: { weight: turned(leave) } },
  };
  const apply = (own: Geglu<tf.Tensor>) => geglu(own, tensor(x) as tf.Tensor3D);

  it("agrees with PyTorch", () => {
    expect(on(params, apply)).toBeAllClose(y.data, close);
  });

  it("is two thirds of four times as wide: 2730 at 1024", () => {
    expect([gegluWidth(1024), gegluWidth(8)]).toEqual([2730, 21]);
  });

  it("has the slope that finite differences measure", () => {
    const [measured, predicted] = slopesOf(params, apply);
    expect([predicted]).toBeAllClose([measured], { relative: 0.02, absolute: 5e-3 });
  });
});
