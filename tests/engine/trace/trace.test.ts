import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { compile, type InputSpec, tf } from "#engine/index.ts";
import { printProgram } from "#engine/program/program.ts";
import { traceProgram } from "#engine/trace/trace.ts";

type Given = Record<string, tf.Tensor>;
const vector: Record<string, InputSpec> = { x: { shape: [3], dtype: "float32" } };

const trace = (
  compute: (inputs: Given) => tf.Tensor | tf.Tensor[],
  inputs: Readonly<Record<string, InputSpec>> = vector,
) =>
  traceProgram(
    (_, given) => ({
      outputs: Object.fromEntries([compute(given)].flat().map((tensor, index) => [String(index), tensor])),
    }),
    { name: "test", state: {}, inputs },
  );

const ops = (compute: (inputs: Given) => tf.Tensor | tf.Tensor[], inputs = vector) =>
  trace(compute, inputs)
    .nodes.map((node) => node.op)
    .filter((op) => op !== "input" && op !== "constant");

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a trace", () => {
  it("is a program that can be read", () => {
    const program = trace(({ x }) => tf.mul(tf.add(x!, [1, 2, 4]), 0.5));
    expect(printProgram(program)).toBe(
      [
        "program test",
        "%0 = input name=input:x storage=float32 : float32[3]",
        "%1 = constant values={1 2 4} : float32[3]",
        "%2 = add %0 %1 : float32[3]",
        "%3 = constant values={0.5} : float32[]",
        "%4 = mul %2 %3 : float32[3]",
        "return output:0 = %4",
      ].join("\n"),
    );
  });

  it("computes on constants at once", () => {
    expect(ops(({ x }) => tf.mul(x!, tf.sum(tf.square(tf.tensor1d([1, 2, 3])))))).toEqual(["mul"]);
  });

  it("shares equal nodes and equal constants", () => {
    const program = trace(({ x }) => [tf.add(tf.square(x!), [1, 2, 3]), tf.mul(tf.square(x!), [1, 2, 3])]);
    expect(program.nodes.map((node) => node.op)).toEqual(["input", "mul", "constant", "add", "mul"]);
  });

  it("drops what no result needs, but no inputs", () => {
    const program = trace(
      ({ x }) => {
        tf.exp(x!);
        return tf.neg(x!);
      },
      { ...vector, y: { shape: [], dtype: "int32" } },
    );
    expect(program.nodes.map((node) => node.op)).toEqual(["input", "input", "neg"]);
  });

  it("leaves out steps that change nothing", () => {
    const matrix: Record<string, InputSpec> = { x: { shape: [2, 1, 3], dtype: "float32" } };
    expect(ops(({ x }) => tf.add(tf.mul(x!, 1), tf.zeros([3])))).toEqual([]);
    expect(ops(({ x }) => tf.transpose(x!, [1, 0, 2]), matrix)).toEqual(["reshape"]);
    expect(ops(({ x }) => tf.reshape(tf.reshape(x!, [6]), [2, 1, 3]), matrix)).toEqual([]);
    expect(ops(({ x }) => tf.transpose(tf.transpose(x!, [2, 0, 1]), [1, 2, 0]), matrix)).toEqual([]);
    expect(ops(({ x }) => tf.slice(x!, [0, 0, 0], [2, 1, 3]), matrix)).toEqual([]);
    expect(ops(({ x }) => tf.sum(x!, 1), matrix)).toEqual(["reshape"]);
  });

  it("takes transposes into products", () => {
    const squares: Record<string, InputSpec> = { x: { shape: [3, 3], dtype: "float32" } };
    const program = trace(({ x }) => tf.matMul(tf.transpose(x!), x!, false, true), squares);
    expect(program.nodes.at(-1)).toMatchObject({ op: "matmul", attributes: { transposeA: true, transposeB: true } });
    expect(program.nodes).toHaveLength(2);
  });

  it("keeps uint8 on the wire and float32 inside", () => {
    const bytes: Record<string, InputSpec> = { x: { shape: [2], dtype: "uint8" } };
    expect(trace(({ x }) => tf.neg(x!), bytes).nodes[0]).toMatchObject({
      attributes: { storage: "uint8" },
      dtype: "float32",
    });
  });
});

describe("a function that cannot be traced", () => {
  const here = /trace\.test\.ts:\d+:\d+/;
  const failing = (compute: (inputs: Given) => tf.Tensor | tf.Tensor[]) => {
    try {
      trace(compute);
    } catch (error) {
      return String(error);
    }
    return "it was traced";
  };

  it("reads a value", () => {
    const message = failing(({ x }) => (x!.dataSync()[0]! > 0 ? x! : tf.neg(x!)));
    expect(message).toMatch(here);
    expect(message).toContain("the value of a tensor was read at");
    expect(message).toContain("Use tensor operations (tf.where, tf.gather)");
  });

  it("draws its own random numbers", () => {
    const message = failing(({ x }) => tf.mul(x!, tf.randomNormal([3])));
    expect(message).toContain('UserError: compile "test": two traces must give the same program, but at');
    expect(message).toContain("JavaScript randomness, the time or a counter is baked in; pass it as an input.");
    expect(message).toMatch(here);
  });

  it("counts how often it was called", () => {
    let calls = 0;
    const message = failing(({ x }) => tf.mul(x!, ++calls));
    expect(message).toMatch(
      /at \S*trace\.test\.ts:\d+:\d+ one has constant values=\{1\} .* and the other constant values=\{2\}/,
    );
  });

  it("uses a kernel without a translation", () => {
    const message = failing(({ x }) => tf.image.nonMaxSuppression(tf.zeros([3, 4]), x as tf.Tensor1D, 2));
    expect(message).toMatch(
      /the TensorFlow\.js kernel "NonMaxSuppressionV3" used at \S*trace\.test\.ts:\d+:\d+ has no translation/,
    );
  });

  it("keeps tensors from one call to the next", () => {
    let kept: tf.Tensor | undefined;
    const message = failing(({ x }) => {
      kept ??= tf.keep(tf.neg(x!));
      return tf.add(x!, kept);
    });
    expect(message).toContain("a tensor made in an earlier trace is used at");
  });

  it("adds shapes that do not fit", () => {
    expect(failing(({ x }) => tf.add(x!, tf.zeros([4])))).toMatch(
      /ShapeError: trace: the kernel "Add" used at \S*trace\.test\.ts:\d+:\d+ does not fit: shapes \[3\] and \[4\] do not broadcast/,
    );
  });

  it("does not spoil the next one", () => {
    failing(({ x }) => tf.tensor1d([x!.dataSync()[0]!]));
    expect(ops(({ x }) => tf.neg(x!))).toEqual(["neg"]);
  });
});

describe("a compiled function", () => {
  const executor = {
    kind: "cpu",
    reason: "",
    precisions: ["float32"],
    prepare: async () => ({
      computeMs: 0,
      run: async () => ({}),
      state: async () => [],
      load: async () => {},
      dispose: async () => {},
    }),
    dispose: async () => {},
  } as const;
  const make = () =>
    compile((_: object, { x, pixels }) => ({ outputs: { y: tf.add(tf.sum(x!), tf.sum(pixels!)) } }), {
      name: "checked",
      state: {},
      inputs: { x: { shape: [2, 2], dtype: "float32" }, pixels: { shape: [3], dtype: "uint8" } },
      executor,
    });
  const pixels = Uint8Array.of(1, 2, 3);

  it.each([
    ["nothing", { pixels }, "nothing"],
    ["too few numbers", { pixels, x: new Float32Array(3) }, "3 numbers of float32"],
    ["another dtype", { pixels, x: new Int32Array(4) }, "4 numbers of int32"],
    [
      "another shape",
      { pixels, x: { shape: [4], dtype: "float32", data: new Float32Array(4) } },
      "float32[4] with 4 numbers",
    ],
    ["a number", { pixels, x: 3 }, "the number 3"],
  ] as const)("refuses %s by the input's name", async (_, inputs, got) => {
    const compiled = await make();
    await expect(compiled.run(inputs as never)).rejects.toThrow(
      `compiled "checked": input "x": must be float32[2, 2], got ${got}.`,
    );
  });

  it("refuses inputs that it does not know", async () => {
    const compiled = await make();
    await expect(compiled.run({ x: new Float32Array(4), pixels, toString: 1 } as never)).rejects.toThrow(
      'compiled "checked": no input is named "toString". Its inputs: x, pixels.',
    );
  });

  it("refuses a precision that the executor does not have", async () => {
    const options = { name: "half", state: {}, inputs: {}, executor, precision: "bfloat16" } as const;
    await expect(compile(() => ({ outputs: {} }), options)).rejects.toThrow(
      'compile "half": cpu computes in float32, got bfloat16. Take another engine.',
    );
  });

  it("refuses a state whose numbers are not what shape and dtype say", async () => {
    const state = { a: { shape: [2], dtype: "float32", data: new Float32Array(3) } } as const;
    const step = ({ a }: { a: tf.Tensor }) => ({ outputs: { a } });
    await expect(compile(step, { name: "odd", state, inputs: {}, executor })).rejects.toThrow(
      'compile "odd": state "a": float32[2] needs a Float32Array of 2 numbers, got Float32Array of 3.',
    );
  });

  it("refuses to return another state than it takes", async () => {
    const state = { a: { shape: [2], dtype: "float32", data: new Float32Array(2) } } as const;
    const grown = ({ a }: { a: tf.Tensor }) => ({ state: { a: tf.concat([a, a]) }, outputs: {} });
    await expect(compile(grown, { name: "odd", state, inputs: {}, executor })).rejects.toThrow(
      'compile "odd": returned state "a" must stay float32[2], got float32[4].',
    );
    const wider = ({ a }: { a: tf.Tensor }) => ({ state: { a, b: a } as { a: tf.Tensor }, outputs: {} });
    await expect(compile(wider, { name: "odd", state, inputs: {}, executor })).rejects.toThrow(
      'compile "odd": returned state "b" is not part of the state that was taken.',
    );
  });
});
