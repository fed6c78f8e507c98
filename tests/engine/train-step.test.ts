import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import {
  compileTrainStep,
  createExecutor,
  crossEntropy,
  type Executor,
  flattenTree,
  type HostArray,
  initLinear,
  initTransformerBlock,
  type Linear,
  linear,
  normalArray,
  type OptimizerConfig,
  stopGradient,
  type TransformerBlock,
  type Tree,
  tf,
  transformerBlock,
  warmupCosine,
} from "#engine/index.ts";
import { smallBatch, smallTrainStep } from "./small-training.ts";

let cpu: Executor;
let onnx: Executor;
beforeAll(async () => {
  cpu = await createExecutor({ kind: "cpu" });
  onnx = await createExecutor({ kind: "onnxruntime", threads: 2 });
});
afterAll(() => onnx.dispose());

const array = (shape: number[], values: number[]): HostArray => ({
  shape,
  dtype: "float32",
  data: Float32Array.from(values),
});

type Pair = { matrix: tf.Tensor; vector: tf.Tensor };

/** `Σ target * matrix² / 2 + 3 Σ vector`: gradients `target * matrix` and 3. */
function pairStep(
  executor: Executor,
  optimizer: OptimizerConfig,
  options: { trainable?: (path: string) => boolean } = {},
) {
  const loss = ({ matrix, vector }: Pair, { target }: { target: tf.Tensor }) => ({
    loss: tf.add(tf.sum(tf.mul(tf.mul(tf.square(matrix), target), 0.5)), tf.mul(tf.sum(vector), 3)),
  });
  return compileTrainStep<Pair, Record<string, never>, { target: { shape: [2, 1]; dtype: "float32" } }>(loss, {
    name: "pair",
    parameters: { matrix: array([2, 1], [1, -2]), vector: array([2], [0.5, 1]) },
    inputs: { target: { shape: [2, 1], dtype: "float32" } },
    optimizer,
    executor,
    ...options,
  });
}

/** AdamW in float64, written from the paper's algorithm 2. */
function referenceAdamW(
  start: number[],
  gradientsAt: (p: number[]) => number[],
  decay: number,
  rates: number[],
): number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  let p = [...start];
  let m = p.map(() => 0);
  let v = p.map(() => 0);
  rates.forEach((rate, index) => {
    const g = gradientsAt(p);
    m = m.map((old, i) => beta1 * old + (1 - beta1) * g[i]!);
    v = v.map((old, i) => beta2 * old + (1 - beta2) * g[i]! ** 2);
    p = p.map((old, i) => {
      const mHat = m[i]! / (1 - beta1 ** (index + 1));
      const vHat = v[i]! / (1 - beta2 ** (index + 1));
      return old - rate * (mHat / (Math.sqrt(vHat) + epsilon) + decay * old);
    });
  });
  return p;
}

const leaf = (tree: Tree<HostArray>, path: string) => Array.from(new Map(flattenTree(tree)).get(path)!.data);

describe.each(["cpu", "onnxruntime"] as const)("train step on %s", (kind) => {
  const executor = () => (kind === "cpu" ? cpu : onnx);

  it("updates as the published algorithm does, and decays matrices alone", async () => {
    const step = await pairStep(executor(), { weightDecay: 0.1 });
    const rates = [0.1, 0.05, 0.2, 0.01, 0.1];
    for (const learningRate of rates) await step.run({ target: Float32Array.of(2, 0.5) }, { learningRate });
    const { parameters, optimizer } = await step.state();
    const matrix = referenceAdamW([1, -2], ([a, b]) => [2 * a!, 0.5 * b!], 0.1, rates);
    expect(leaf(parameters, "matrix")).toBeAllClose(matrix, { absolute: 1e-6, relative: 2e-6 });
    const vector = referenceAdamW([0.5, 1], () => [3, 3], 0, rates);
    expect(leaf(parameters, "vector")).toBeAllClose(vector, { absolute: 1e-6, relative: 2e-6 });
    expect(optimizer.updates.data).toEqual(Int32Array.of(5));
  });

  it("reports the loss before the update and the norm before clipping", async () => {
    const step = await pairStep(executor(), { clipNorm: 1 });
    const outputs = await step.run({ target: Float32Array.of(2, 0.5) }, { learningRate: 0.1 });
    expect(outputs.loss!.data[0]).toBeCloseTo(1 + 1 + 4.5, 5);
    // gradients 2, -1, 3, 3
    expect(outputs.gradNorm!.data[0]).toBeCloseTo(Math.sqrt(4 + 1 + 9 + 9), 5);
    expect(outputs.loss!.shape).toEqual([]);
  });

  it("clips the gradient as a whole", async () => {
    const step = await pairStep(executor(), { clipNorm: 1 });
    await step.run({ target: Float32Array.of(2, 0.5) }, { learningRate: 0.1 });
    const { optimizer } = await step.state();
    const norm = Math.sqrt(23);
    expect(leaf(optimizer.first, "matrix")).toBeAllClose([0.2 / norm, -0.1 / norm]);
    expect(leaf(optimizer.second, "vector")).toBeAllClose([0.009 / 23, 0.009 / 23]);
  });

  it("leaves frozen parameters alone, without slots", async () => {
    const step = await pairStep(executor(), {}, { trainable: (path) => path === "vector" });
    await step.run({ target: Float32Array.of(2, 0.5) }, { learningRate: 0.1 });
    const { parameters, optimizer } = await step.state();
    expect(leaf(parameters, "matrix")).toEqual([1, -2]);
    expect(leaf(parameters, "vector")).toBeAllClose([0.4, 0.9]);
    expect(flattenTree(optimizer.first).map(([path]) => path)).toEqual(["vector"]);
  });

  it("averages over accumulated batches what one large batch averages", async () => {
    const step = await pairStep(executor(), { accumulate: 2, clipNorm: 1 });
    const whole = await pairStep(executor(), { clipNorm: 1 });
    for (const learningRate of [0.1, 0.05]) {
      await step.run({ target: Float32Array.of(1, 0) }, { learningRate });
      const between = await step.state();
      await step.run({ target: Float32Array.of(3, 1) }, { learningRate });
      expect(between.optimizer.pending!.batches.data[0]).toBe(1);
      await whole.run({ target: Float32Array.of(2, 0.5) }, { learningRate });
    }
    const [a, b] = [await step.state(), await whole.state()];
    for (const path of ["matrix", "vector"]) {
      expect(leaf(a.parameters, path)).toBeAllClose(leaf(b.parameters, path), { absolute: 1e-6 });
    }
    expect(a.optimizer.pending!.batches.data[0]).toBe(0);
    expect(a.optimizer.updates.data[0]).toBe(2);
  });

  it("averages weights, and forgets the first ones soon", async () => {
    const step = await smallTrainStep(executor(), {}, { emaDecay: 0.5 });
    const first = leaf((await step.state()).parameters, "first.weight");
    await step.run(smallBatch(0), { learningRate: 0.01 });
    const { parameters, ema } = await step.state();
    // One update done: decay min(0.5, 2 / 11).
    const now = leaf(parameters, "first.weight");
    const want = first.map((old, index) => (2 / 11) * old + (9 / 11) * now[index]!);
    expect(leaf(ema!, "first.weight")).toBeAllClose(want, { absolute: 1e-6 });
  });

  it("averages weights once per update, however many batches that takes", async () => {
    const step = await smallTrainStep(executor(), { accumulate: 2 }, { emaDecay: 0.5 });
    const first = leaf((await step.state()).parameters, "first.weight");
    await step.run(smallBatch(0), { learningRate: 0.01 });
    expect(leaf((await step.state()).ema!, "first.weight")).toEqual(first);
    await step.run(smallBatch(1), { learningRate: 0.01 });
    const { parameters, ema } = await step.state();
    const now = leaf(parameters, "first.weight");
    const want = first.map((old, index) => (2 / 11) * old + (9 / 11) * now[index]!);
    expect(leaf(ema!, "first.weight")).toBeAllClose(want, { absolute: 1e-6 });
  });

  it("carries state without gradients and gives all outputs", async () => {
    const step = await smallTrainStep(executor());
    await step.run(smallBatch(0), { learningRate: 0.01 });
    const outputs = await step.run(smallBatch(1), { learningRate: 0.01 });
    expect(leaf((await step.state()).extra, "seen")).toEqual([2]);
    expect(outputs.rows!.shape).toEqual([8]);
    expect(Math.max(...outputs.rows!.data)).toBeGreaterThanOrEqual(outputs.largest!.data[0]!);
  });

  it("goes on bit for bit from a saved state", async () => {
    const run = async (step: Awaited<ReturnType<typeof smallTrainStep>>, from: number, to: number) => {
      for (let i = from; i < to; i++) await step.run(smallBatch(i), { learningRate: 0.01 });
      return step.state();
    };
    const optimizer = { accumulate: 2, clipNorm: 0.5 };
    const options = { emaDecay: 0.9 };
    const whole = await run(await smallTrainStep(executor(), optimizer, options), 0, 9);
    const half = await run(await smallTrainStep(executor(), optimizer, options), 0, 5);
    const fresh = await smallTrainStep(executor(), optimizer, options);
    await fresh.load(half);
    expect(await run(fresh, 5, 9)).toEqual(whole);
  });

  it("leaves no tensor behind", async () => {
    const step = await smallTrainStep(executor(), { accumulate: 2 }, { emaDecay: 0.9 });
    await step.run(smallBatch(0), { learningRate: 0.01 });
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) await step.run(smallBatch(i), { learningRate: 0.01 });
    expect(tf.memory().numTensors).toBe(before);
  });
});

it("goes on on one executor from the state of another", async () => {
  const [from, to] = [await smallTrainStep(cpu), await smallTrainStep(onnx)];
  for (let index = 0; index < 3; index++) await from.run(smallBatch(index), { learningRate: 0.01 });
  await to.load(await from.state());
  const [a, b] = [
    await from.run(smallBatch(3), { learningRate: 0.01 }),
    await to.run(smallBatch(3), { learningRate: 0.01 }),
  ];
  expect(Array.from(b.loss!.data)).toBeAllClose(Array.from(a.loss!.data), { relative: 1e-6 });
  expect((await to.state()).optimizer.updates.data).toEqual(Int32Array.of(4));
});

describe("a train step that cannot be", () => {
  const inputs = { x: { shape: [2], dtype: "float32" } } as const;
  const parameters = { used: array([2], [1, 2]), unused: array([1], [1]) };
  type Params = { used: tf.Tensor; unused: tf.Tensor };
  const make = (loss: (params: Params, given: { x: tf.Tensor }) => { loss: tf.Tensor }, more: object = {}) =>
    compileTrainStep(loss as never, { name: "odd", parameters, inputs, optimizer: {}, executor: cpu, ...more });

  it("depends on no parameter", async () => {
    await expect(make(({ used }) => ({ loss: tf.sum(stopGradient(used)) }))).rejects.toThrow(
      'train step "odd": the loss depends on no trainable parameter.',
    );
    await expect(make(({ used }) => ({ loss: tf.sum(used) }), { trainable: () => false })).rejects.toThrow(
      'train step "odd": no parameter is trainable.',
    );
  });

  it("has a loss that is no number", async () => {
    await expect(make(({ used }, { x }) => ({ loss: tf.mul(used, x) }))).rejects.toThrow(
      'train step "odd": the loss must be float32[], got float32[2].',
    );
  });

  it("takes a name that is its own", async () => {
    const clash = { inputs: { learningRate: { shape: [], dtype: "float32" } } };
    await expect(make(({ used }) => ({ loss: tf.sum(used) }), clash)).rejects.toThrow(
      'the input "learningRate" is its own',
    );
  });

  it("names the parameters that the loss does not reach, and leaves them", async () => {
    const step = await make(({ used }, { x }) => ({ loss: tf.sum(tf.mul(used, x)) }), {
      optimizer: { weightDecay: 1 },
    });
    expect(step.unreached).toEqual(["unused"]);
    await step.run({ x: Float32Array.of(1, 1) }, { learningRate: 0.1 });
    expect(leaf((await step.state()).parameters, "unused")).toEqual([1]);
  });

  it("refuses another state, naming what is missing, what is too much and what has another shape", async () => {
    const step = await make(({ used }, { x }) => ({ loss: tf.sum(tf.mul(used, x)) }));
    const state = await step.state();
    const other = { ...state, parameters: { used: array([3], [1, 2, 3]), extra: array([1], [1]) } };
    await expect(step.load(other)).rejects.toThrow(
      [
        'compiled "odd": the given state: must fit the model, but does not. Use the configuration that it was trained with.',
        "  missing: parameters.unused",
        "  unexpected: parameters.extra",
        "  wrong shape: parameters.used must be float32[2], got float32[3]",
        "  ok: 5 of 7",
      ].join("\n"),
    );
  });
});

type Model = { words: tf.Tensor; blocks: TransformerBlock<tf.Tensor>[]; head: Linear<tf.Tensor> };

/** Guesses the next of 11 symbols in sequences of 6. */
function transformerStep(executor: Executor) {
  const rng = createRng("transformer");
  const loss = (params: Model, { symbols, wanted }: { symbols: tf.Tensor; wanted: tf.Tensor }) => {
    let x = tf.gather(params.words, symbols as tf.Tensor2D) as tf.Tensor3D;
    for (const block of params.blocks) x = transformerBlock(block, x, { heads: 2, causal: true });
    const logits = tf.reshape(linear(params.head, x), [-1, 11]) as tf.Tensor2D;
    return { loss: crossEntropy(logits, tf.reshape(wanted, [-1]) as tf.Tensor1D) };
  };
  return compileTrainStep<Model, Record<string, never>, typeof symbolInputs>(loss, {
    name: "transformer",
    parameters: {
      words: normalArray(rng, [11, 16], 0.5),
      blocks: [0, 1].map((index) => initTransformerBlock(rng.fork(index), { width: 16, heads: 2 })),
      head: initLinear(rng.fork("head"), { inputs: 16, outputs: 11 }),
    },
    inputs: symbolInputs,
    optimizer: { clipNorm: 1 },
    executor,
  });
}
const symbolInputs = {
  symbols: { shape: [8, 6], dtype: "int32" },
  wanted: { shape: [8, 6], dtype: "int32" },
} as const;

it("trains a transformer for 20 steps as the oracle does", async () => {
  const rate = warmupCosine({ peak: 1e-2, warmupSteps: 5, steps: 20 });
  const trainOn = async (executor: Executor) => {
    const step = await transformerStep(executor);
    const losses: number[] = [];
    for (let index = 0; index < 20; index++) {
      const symbols = Int32Array.from({ length: 48 }, (_, i) => (index + i * i) % 11);
      const wanted = symbols.map((symbol) => (3 * symbol + 1) % 11);
      const { loss } = await step.run({ symbols, wanted }, { learningRate: rate(index) });
      losses.push(loss!.data[0]!);
    }
    return { losses, parameters: flattenTree((await step.state()).parameters) };
  };
  const [got, want] = [await trainOn(onnx), await trainOn(cpu)];
  expect(want.losses[19]).toBeLessThan(0.5 * want.losses[0]!);
  expect(got.losses).toBeAllClose(want.losses, { absolute: 1e-4, relative: 1e-4 });
  want.parameters.forEach(([path, leaf], index) => {
    expect(got.parameters[index]![0]).toBe(path);
    expect(Array.from(got.parameters[index]![1].data)).toBeAllClose(Array.from(leaf.data), {
      absolute: 2e-5,
      relative: 1e-4,
    });
  });
});
