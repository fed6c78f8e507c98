/** @file What every executor must do, measured against the oracle. One suite, run on each of them. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createRng, type Rng } from "#core/rng.ts";
import {
  compile,
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type HostArray,
  sizeOf,
  tf,
} from "#engine/index.ts";
import { slopes, weigh } from "../gradcheck.ts";
import { arrayCases } from "./array-cases.ts";
import { elementCases } from "./element-cases.ts";
import type { Given, KernelCase } from "./kernel-case.ts";

function draw(rng: Rng, { shape, dtype = "float32", low = -1, high = 1, values }: Given): HostArray {
  const numbers = values ?? Array.from({ length: sizeOf(shape) }, () => rng.uniform(low, high));
  const data = dtype === "int32" ? Int32Array.from(numbers, Math.floor) : Float32Array.from(numbers);
  return { shape, dtype, data };
}

type Tensors = Record<string, tf.Tensor>;

/** The case's results, and the gradients of their weighted sum. */
function withGradients({ given, evaluate, slope = true }: KernelCase) {
  const names = Object.keys(given).filter((name) => given[name]!.dtype !== "int32");
  return (_: object, inputs: Tensors) => {
    const results = () => [evaluate(inputs)].flat().map((tensor) => tf.cast(tensor, "float32"));
    const outputs: Tensors = Object.fromEntries(results().map((tensor, index) => [`result ${index}`, tensor]));
    if (!slope) return { outputs };
    const total = () => tf.addN(results().map(weigh)) as tf.Scalar;
    const { value, grads } = tf.engine().gradients(
      total,
      names.map((name) => inputs[name]!),
    );
    names.forEach((name, index) => {
      outputs[`gradient of ${name}`] = grads[index]!;
    });
    return { outputs: { ...outputs, total: value } };
  };
}

export function describeExecutor(engine: ExecutorOptions): void {
  describe(`executor ${engine.kind}`, () => {
    let executor: Executor;
    let cpu: Executor;
    beforeAll(async () => {
      executor = await createExecutor({ ...engine, threads: 2 });
      cpu = await createExecutor({ kind: "cpu" });
    });
    afterAll(async () => {
      await executor.dispose();
    });

    const computeOn = async (chosen: Executor, kernel: KernelCase, inputs: Record<string, HostArray>) => {
      const specs = Object.entries(inputs).map(([name, { shape, dtype }]) => [
        name,
        { shape, dtype: dtype as "float32" },
      ]);
      const compiled = await compile(withGradients(kernel), {
        name: kernel.name,
        state: {},
        inputs: Object.fromEntries(specs),
        executor: chosen,
      });
      const outputs = await compiled.run(inputs as never);
      await compiled.dispose();
      return outputs;
    };

    describe.each([
      ["elements", elementCases],
      ["arrays", arrayCases],
    ])("kernels on %s", (_, cases) => {
      it.each(cases)("computes $name and its gradient as the oracle does", async (kernel) => {
        const rng = createRng(kernel.name);
        const inputs = Object.fromEntries(
          Object.entries(kernel.given).map(([name, given]) => [name, draw(rng, given)]),
        );
        const got = await computeOn(executor, kernel, inputs);
        const want = await computeOn(cpu, kernel, inputs);
        expect(Object.keys(got)).toEqual(Object.keys(want));
        for (const [name, array] of Object.entries(want)) {
          expect(got[name]!.shape).toEqual(array.shape);
          const tolerance = { absolute: kernel.absolute ?? 2e-6, relative: 1e-5 };
          expect(Array.from(got[name]!.data)).toBeAllClose(Array.from(array.data), tolerance);
        }
        if (kernel.slope === false) return;
        const total = (at: Tensors) => tf.addN([kernel.evaluate(at)].flat().map(weigh)) as tf.Scalar;
        const [measured, predicted] = slopes(total, inputs, rng);
        expect([predicted]).toBeAllClose([measured], { absolute: 5e-3, relative: 1e-2 });
      });
    });

    it.each([
      [3, 4096],
      [300, 4096],
    ])("adds updates to %i rows from %i places without losing one, equal every time", async (rows, count) => {
      const width = 64;
      const compiled = await compile(
        (_: object, { at, x }) => ({ outputs: { sums: tf.unsortedSegmentSum(x!, at as tf.Tensor1D, rows) } }),
        {
          name: "scatter",
          state: {},
          inputs: { at: { shape: [count], dtype: "int32" }, x: { shape: [count, width], dtype: "float32" } },
          executor,
        },
      );
      const at = Int32Array.from({ length: count }, (_, index) => (index * 7919) % rows);
      const x = Float32Array.from({ length: count * width }, (_, index) => Math.sin(index) + 1);
      const want = new Float64Array(rows * width);
      x.forEach((value, index) => {
        want[at[Math.floor(index / width)]! * width + (index % width)]! += value;
      });
      const first = (await compiled.run({ at, x })).sums!.data;
      expect(Array.from(first)).toBeAllClose(want, { relative: 1e-5 });
      for (let repeat = 0; repeat < 5; repeat++) expect((await compiled.run({ at, x })).sums!.data).toEqual(first);
    });
  });
}
