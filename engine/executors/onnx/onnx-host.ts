/**
 * @file The child process: holds ONNX Runtime sessions and their state. A run reads one set of state arrays and writes
 * the other; then the sets change places, so nothing is copied and nothing of the state leaves this process.
 */
import * as ort from "onnxruntime-node";
import type { CreateRequest, HostData, HostValue } from "../host/messages.ts";
import { type HostProgram, serveEngine } from "../host/serve.ts";

export type OnnxHostModel = { readonly bytes: Uint8Array; readonly threads: number };

type TensorSet = Record<string, ort.Tensor>;

const wrap = ({ type, shape }: HostValue, data: HostData) =>
  new ort.Tensor(type as "float32", data as Float32Array, [...shape]);

function allocate(value: HostValue): ort.Tensor {
  const size = value.shape.reduce((product, count) => product * count, 1);
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
  return wrap(value, new arrays[value.type as keyof typeof arrays](size));
}

function fill(value: HostValue, data: HostData): ort.Tensor {
  const tensor = allocate(value);
  (tensor.data as Float32Array).set(data);
  return tensor;
}

const byName = <T extends HostValue>(values: readonly T[], make: (value: T, index: number) => ort.Tensor): TensorSet =>
  Object.fromEntries(values.map((value, index) => [value.name, make(value, index)]));

async function create({ model, inputs, outputs, state }: CreateRequest<OnnxHostModel>): Promise<HostProgram> {
  const session = await ort.InferenceSession.create(model.bytes, {
    intraOpNumThreads: model.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    // Waiting threads sleep: spinning ones slow down everybody else on a shared machine.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const leaves = state.map(({ data: _, ...leaf }) => leaf);
  const changing = state.filter((value) => value.next !== undefined);
  // Overwritten by each run.
  const results = byName(outputs, allocate);
  const fixed = byName(
    state.filter((value) => value.next === undefined),
    (value) => fill(value, value.data),
  );
  let current = byName(changing, (value) => fill(value, value.data));
  let next = byName(
    changing.map(({ name, type, shape }) => ({ name, type, shape })),
    allocate,
  );
  const tensorOf = (name: string) => (current[name] ?? fixed[name])!;

  return {
    async run(values) {
      const fed = byName(inputs, (value, index) => wrap(value, values[index]!));
      const fetches = { ...results };
      for (const leaf of leaves) if (leaf.next !== undefined) fetches[leaf.next] = next[leaf.name]!;
      await session.run({ ...fixed, ...current, ...fed }, fetches);
      [current, next] = [next, current];
      return outputs.map((value) => results[value.name]!.data as HostData);
    },
    state: async () => leaves.map(({ name }) => tensorOf(name).data as HostData),
    async load(values) {
      leaves.forEach(({ name }, index) => {
        (tensorOf(name).data as Float32Array).set(values[index]!);
      });
    },
    dispose: () => session.release(),
  };
}

await serveEngine<OnnxHostModel, object>(async () => ({
  create,
  explain: ({ message }) => message.replace(/^.*Status Message: /s, "").replace(/\/\S+onnxruntime\/core\S+ /, ""),
}));
