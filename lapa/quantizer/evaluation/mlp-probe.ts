import type * as tf from "@tensorflow/tfjs";
import { createRng } from "#core/rng.ts";
import {
  compile,
  compileTrainStep,
  type Executor,
  type HostArray,
  initLinear,
  type Linear,
  linear,
  tf as ops,
  type Tree,
  warmupCosine,
} from "#engine/index.ts";

type Probe<T = HostArray> = { readonly hidden: Linear<T>; readonly output: Linear<T> };

export type MlpProbeOptions = {
  readonly executor: Executor;
  readonly inputs: number;
  readonly outputs: number;
  readonly hidden?: number;
  readonly steps?: number;
};

const batch = 256;

const apply = ({ hidden, output }: Probe<tf.Tensor>, x: tf.Tensor2D) => linear(output, ops.relu(linear(hidden, x)));

/**
 * Fits a network with one hidden layer to rows of numbers: what a representation says that a line cannot read.
 *
 * @param x f[N, F] @param y f[N, A], best of mean 0 and variance 1
 * @returns predictions for other rows: f[M, F] to f32[M, A]
 */
export async function fitMlpProbe(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { executor, inputs, outputs, hidden = 64, steps = 400 }: MlpProbeOptions,
): Promise<(rows: ArrayLike<number>) => Promise<Float32Array>> {
  const rng = createRng("mlp-probe");
  const count = x.length / inputs;
  const input = { x: { shape: [batch, inputs], dtype: "float32" } } as const;
  const step = await compileTrainStep(
    (params, { x: rows, y: wanted }) => ({
      loss: ops.mean(ops.square(ops.sub(apply(params as unknown as Probe<tf.Tensor>, rows as tf.Tensor2D), wanted!))),
    }),
    {
      name: "mlp-probe",
      parameters: {
        hidden: initLinear(rng.fork("hidden"), { inputs, outputs: hidden }),
        output: initLinear(rng.fork("output"), { inputs: hidden, outputs }),
      } as unknown as Tree<HostArray>,
      inputs: { ...input, y: { shape: [batch, outputs], dtype: "float32" } },
      optimizer: { beta2: 0.999, weightDecay: 0.01, clipNorm: 1 },
      executor,
    },
  );
  const rate = warmupCosine({ peak: 3e-3, warmupSteps: Math.min(20, steps - 1), steps });
  for (let at = 0; at < steps; at++) {
    const [rows, wanted] = [new Float32Array(batch * inputs), new Float32Array(batch * outputs)];
    for (let row = 0; row < batch; row++) {
      const from = rng.integer(count);
      for (let index = 0; index < inputs; index++) rows[row * inputs + index] = x[from * inputs + index]!;
      for (let index = 0; index < outputs; index++) wanted[row * outputs + index] = y[from * outputs + index]!;
    }
    await step.run({ x: rows, y: wanted }, { learningRate: rate(at) });
  }
  const { parameters } = await step.state();
  await step.dispose();
  return async (rows) => {
    const program = await compile(
      (state, { x: some }) => ({ outputs: { y: apply(state as unknown as Probe<tf.Tensor>, some as tf.Tensor2D) } }),
      { name: "mlp-probe-apply", state: parameters, inputs: input, executor },
    );
    const total = rows.length / inputs;
    const predicted = new Float32Array(total * outputs);
    for (let start = 0; start < total; start += batch) {
      const some = new Float32Array(batch * inputs);
      const length = Math.min(batch, total - start);
      for (let at = 0; at < length * inputs; at++) some[at] = rows[start * inputs + at]!;
      const { y: answer } = await program.run({ x: some });
      predicted.set((answer!.data as Float32Array).subarray(0, length * outputs), start * outputs);
    }
    await program.dispose();
    return predicted;
  };
}
