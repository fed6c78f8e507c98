/**
 * @file Eager TensorFlow.js's side of the train-step benchmark: the same function, run operation by operation by
 * TensorFlow. Answers as the Python sides do. Usage: eager-vision.ts SIZE CACHE
 */
import { createInterface } from "node:readline";
import {
  type Executor,
  flattenTree,
  type HostArray,
  mapTree,
  type Tree,
  tf,
  useEagerTensorflow,
} from "#engine/index.ts";
import { type VisionSize, visionBatch, visionStep } from "./vision-step.ts";

const [sizeText, cacheFolder] = process.argv.slice(2) as [string, string];
const size = JSON.parse(sizeText) as VisionSize;
const { version } = await useEagerTensorflow(cacheFolder);

const toTensor = ({ data, shape, dtype }: HostArray) => tf.tensor(data, [...shape], dtype);

/** Runs the traced function itself with its state in tensors of TensorFlow. */
const eager: Executor = {
  kind: "cpu",
  reason: "eager TensorFlow",
  precisions: ["float32"],
  async prepare({ evaluate, state: initial, inputs: specs }) {
    let state = mapTree(initial, (leaf) => tf.keep(toTensor(leaf)));
    return {
      computeMs: 0,
      async run(inputs) {
        const tensors = Object.entries(specs).map(([name, { shape, dtype }]) => {
          return [name, tf.tensor(inputs[name]!, [...shape], dtype as "float32")] as const;
        });
        const result = tf.tidy(() => {
          const { state: next, outputs } = evaluate(state, Object.fromEntries(tensors));
          return { next: next!, outputs } as unknown as tf.TensorContainerObject;
        }) as unknown as { next: Tree<tf.Tensor>; outputs: Record<string, tf.Tensor> };
        const old = new Set(flattenTree(state).map(([, tensor]) => tensor));
        const kept = new Set(flattenTree(result.next).map(([, tensor]) => tensor));
        state = mapTree(result.next, (tensor) => tf.keep(tensor));
        for (const tensor of old) if (!kept.has(tensor)) tensor.dispose();
        for (const [, tensor] of tensors) tensor.dispose();
        return Object.fromEntries(
          Object.entries(result.outputs).map(([name, tensor]) => {
            const data = tensor.dataSync() as Float32Array;
            tensor.dispose();
            return [name, { shape: tensor.shape, dtype: tensor.dtype as "float32", data }];
          }),
        );
      },
      state: async () => [],
      load: async () => {},
      dispose: async () => {},
    };
  },
  dispose: async () => {},
};
const step = await visionStep(eager, size);
await tf.setBackend("tensorflow");
const batch = visionBatch(size);

process.stdout.write(`${JSON.stringify({ version })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const ms: number[] = [];
  const losses: number[] = [];
  const before = process.cpuUsage();
  for (let index = 0; index < Number(line); index++) {
    const start = performance.now();
    const { loss } = await step.run(batch, { learningRate: 1e-3 });
    losses.push(loss!.data[0]!);
    ms.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ ms, losses, cpuMs: (user + system) / 1000 })}\n`);
}
process.exit(0);
