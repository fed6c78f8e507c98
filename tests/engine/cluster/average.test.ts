import { describe, expect, it } from "@jest/globals";
import { ownRows, shareSpec } from "#engine/cluster/average.ts";
import { compileTrainStep, createExecutor, type Executor, tf } from "#engine/index.ts";

const spec = (...shape: number[]) => ({ shape, dtype: "float32" }) as const;

describe("shares of a batch", () => {
  it("are even parts of inputs whose first axis is a multiple of the batch", () => {
    expect(shareSpec("t", spec(8, 3), 8, 4)).toEqual(spec(2, 3));
    expect(shareSpec("t", spec(32, 5), 8, 4)).toEqual(spec(8, 5));
    expect(shareSpec("t", spec(7, 3), 8, 4)).toEqual(spec(7, 3));
    expect(shareSpec("t", spec(), 8, 4)).toEqual(spec());
  });

  it("are refused when they are not even", () => {
    expect(() => shareSpec("small", spec(8, 3), 8, 3)).toThrow(
      'train step "small": 8 samples cannot be split evenly among 3 workers.',
    );
  });

  it("are this worker's rows, or taken as they are where only those were given", () => {
    const [whole, own] = [spec(4, 2), spec(2, 2)];
    const data = Float32Array.from({ length: 8 }, (_, index) => index);
    expect(ownRows(data, whole, own, 1)).toEqual(Float32Array.of(4, 5, 6, 7));
    expect(ownRows({ ...whole, data }, whole, own, 0)).toEqual({ ...own, data: Float32Array.of(0, 1, 2, 3) });
    expect(ownRows(data.subarray(0, 4), whole, own, 1)).toEqual(Float32Array.of(0, 1, 2, 3));
  });
});

describe("a train step of several workers", () => {
  /** Computes alone, but traces as worker 1 of 2: the exchange is then the identity. */
  const asWorker = async (): Promise<Executor> => ({
    ...(await createExecutor({ kind: "cpu" })),
    cluster: { index: 1, count: 2 },
  });
  const loss = ({ w }: { w: tf.Tensor }, { x }: { x: tf.Tensor }) => ({
    loss: tf.mean(tf.square(tf.mul(w, x))) as tf.Tensor,
    outputs: { largest: tf.max(x), each: tf.square(x) },
  });
  const options = {
    name: "shared",
    parameters: { w: { shape: [1], dtype: "float32", data: Float32Array.of(2) } },
    inputs: { x: spec(4) },
    optimizer: { weightDecay: 0 },
    batch: 4,
  } as const;

  it("sees its own rows, averages scalars and keeps what belongs to its samples", async () => {
    const step = await compileTrainStep(loss as never, { ...options, executor: await asWorker() });
    const outputs = await step.run({ x: Float32Array.of(9, 9, 3, 4) }, { learningRate: 0.1, stop: 1 });
    expect(Array.from(outputs.each!.data)).toEqual([9, 16]);
    expect(outputs.largest!.data[0]).toBe(4);
    expect(outputs.loss!.data[0]).toBeCloseTo((36 + 64) / 2, 4);
    expect(outputs.stop!.data[0]).toBe(1);
    expect(step.compiled.program.nodes.filter(({ op }) => op === "allMean")).toHaveLength(1);
  });

  it("refuses state that has no mean, and a step that does not know its batch", async () => {
    const counting = (_: object, { x }: { x: tf.Tensor }, { seen }: { seen: tf.Tensor }) => ({
      ...loss(_ as never, { x }),
      extra: { seen },
    });
    const executor = await asWorker();
    const extra = { seen: { shape: [], dtype: "int32", data: Int32Array.of(0) } } as const;
    await expect(compileTrainStep(counting as never, { ...options, extra, executor })).rejects.toThrow(
      'train step "shared": extra state "seen" is int32, and several workers can only average float32.',
    );
    const { batch: _, ...without } = options;
    await expect(compileTrainStep(loss as never, { ...without, executor })).rejects.toThrow(
      'train step "shared": several workers need to know its batch.',
    );
  });
});
