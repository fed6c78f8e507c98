/** @file What every executor must do, measured against the oracle. One suite, run on each of them. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createRng, type Rng } from "#core/rng.ts";
import { compile, createExecutor, type Executor, type HostArray, sizeOf, tf } from "#engine/index.ts";
import { arrayCases } from "./array-cases.ts";
import { elementCases } from "./element-cases.ts";
import type { Given, KernelCase } from "./kernel-case.ts";

function draw(rng: Rng, { shape, dtype = "float32", low = -1, high = 1, values }: Given): HostArray {
  const numbers = values ?? Array.from({ length: sizeOf(shape) }, () => rng.uniform(low, high));
  const data = dtype === "int32" ? Int32Array.from(numbers, Math.floor) : Float32Array.from(numbers);
  return { shape, dtype, data };
}

/** Fixed weights that make one number of a result, so that its slope tells every element apart. */
const weigh = (tensor: tf.Tensor) =>
  tf.sum(
    tf.mul(
      tensor,
      tf.tensor(
        Float32Array.from({ length: tensor.size }, (_, i) => Math.cos(i + 1)),
        tensor.shape,
      ),
    ),
  );

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

/** Slope of `total` along a direction by central differences, and as the gradients say. */
async function slopes(oracle: Oracle, kernel: KernelCase, inputs: Record<string, HostArray>, rng: Rng) {
  const step = 1e-2;
  const names = Object.keys(inputs).filter((name) => inputs[name]!.dtype === "float32");
  const directions = Object.fromEntries(
    names.map((name) => [name, Float32Array.from(inputs[name]!.data, () => rng.normal())]),
  );
  const moved = (by: number) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, array]) => {
        const direction = directions[name];
        const data =
          direction === undefined ? array.data : Float32Array.from(array.data, (x, i) => x + by * direction[i]!);
        return [name, { ...array, data } as HostArray];
      }),
    );
  const total = async (by: number) => (await oracle(kernel, moved(by))).total!.data[0]!;
  const measured = ((await total(step)) - (await total(-step))) / (2 * step);
  const at = await oracle(kernel, inputs);
  const predicted = names.reduce((sum, name) => {
    const gradient = at[`gradient of ${name}`]!.data;
    return sum + directions[name]!.reduce((part, d, i) => part + d * gradient[i]!, 0);
  }, 0);
  return { measured, predicted };
}

type Oracle = (kernel: KernelCase, inputs: Record<string, HostArray>) => Promise<Record<string, HostArray>>;

export function describeExecutor(kind: "onnxruntime"): void {
  describe(`executor ${kind}`, () => {
    let executor: Executor;
    let cpu: Executor;
    beforeAll(async () => {
      executor = await createExecutor({ kind, threads: 2 });
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
        const oracle: Oracle = (row, at) => computeOn(cpu, row, at);
        const { measured, predicted } = await slopes(oracle, kernel, inputs, rng);
        expect([predicted]).toBeAllClose([measured], { absolute: 5e-3, relative: 1e-2 });
      });
    });
  });
}
