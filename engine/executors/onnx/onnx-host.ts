/**
 * @file The child process: holds ONNX Runtime sessions and their state. A run reads one set of state arrays and writes
 * the other; then the sets change places, so nothing is copied and nothing of the state leaves this process.
 */
import * as ort from "onnxruntime-node";
import type { CreateRequest, HostData, Reply, Request } from "./host-messages.ts";
import type { OnnxValue } from "./onnx-file.ts";

type TensorSet = Record<string, ort.Tensor>;
type Entry = {
  readonly session: ort.InferenceSession;
  readonly request: CreateRequest;
  /** Results that go back: overwritten by each run. */
  readonly results: TensorSet;
  readonly fixed: TensorSet;
  current: TensorSet;
  next: TensorSet;
};

const entries = new Map<number, Entry>();

const wrap = ({ type, shape }: OnnxValue, data: HostData) =>
  new ort.Tensor(type as "float32", data as Float32Array, [...shape]);

function allocate(value: OnnxValue): ort.Tensor {
  const size = value.shape.reduce((product, count) => product * count, 1);
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
  return wrap(value, new arrays[value.type as keyof typeof arrays](size));
}

function fill(value: OnnxValue, data: HostData): ort.Tensor {
  const tensor = allocate(value);
  (tensor.data as Float32Array).set(data);
  return tensor;
}

const byName = <T extends OnnxValue>(values: readonly T[], make: (value: T, index: number) => ort.Tensor): TensorSet =>
  Object.fromEntries(values.map((value, index) => [value.name, make(value, index)]));

async function create(request: CreateRequest): Promise<void> {
  const session = await ort.InferenceSession.create(request.model, {
    intraOpNumThreads: request.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    // Waiting threads sleep: spinning ones slow down everybody else on a shared machine.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const updated = request.state.filter((value) => value.next !== undefined);
  entries.set(request.handle, {
    session,
    request: {
      ...request,
      model: new Uint8Array(),
      state: request.state.map((value) => ({ ...value, data: new Uint8Array() })),
    },
    results: byName(request.outputs, allocate),
    fixed: byName(
      request.state.filter((value) => value.next === undefined),
      (value) => fill(value, value.data),
    ),
    current: byName(updated, (value) => fill(value, value.data)),
    next: byName(updated, allocate),
  });
}

async function run(entry: Entry, inputs: readonly HostData[]): Promise<HostData[]> {
  const feeds = {
    ...entry.fixed,
    ...entry.current,
    ...byName(entry.request.inputs, (value, index) => wrap(value, inputs[index]!)),
  };
  const fetches = { ...entry.results };
  for (const { name, next } of entry.request.state) if (next !== undefined) fetches[next] = entry.next[name]!;
  await entry.session.run(feeds, fetches);
  [entry.current, entry.next] = [entry.next, entry.current];
  return entry.request.outputs.map((value) => entry.results[value.name]!.data as HostData);
}

const stateTensor = (entry: Entry, name: string) => (entry.current[name] ?? entry.fixed[name])!;

async function answer(request: Request): Promise<readonly HostData[]> {
  if (request.method === "create") {
    await create(request);
    return [];
  }
  const entry = entries.get(request.handle);
  if (entry === undefined) throw new Error(`no program has handle ${request.handle}`);
  if (request.method === "run") return run(entry, request.inputs);
  if (request.method === "state") {
    return entry.request.state.map((value) => stateTensor(entry, value.name).data as HostData);
  }
  if (request.method === "load") {
    entry.request.state.forEach((value, index) => {
      (stateTensor(entry, value.name).data as Float32Array).set(request.state[index]!);
    });
    return [];
  }
  entries.delete(request.handle);
  await entry.session.release();
  return [];
}

process.send!({ id: 0, result: [], computeMs: 0 } satisfies Reply);

// Requests are answered one after the other, in the order they came.
let last: Promise<void> = Promise.resolve();
process.on("message", ({ id, request }: { id: number; request: Request }) => {
  last = last.then(async () => {
    let reply: Reply;
    const start = performance.now();
    try {
      const result = await answer(request);
      reply = { id, result, computeMs: performance.now() - start };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reply = { id, error: message.replace(/^.*Status Message: /s, "").replace(/\/\S+onnxruntime\/core\S+ /, "") };
    }
    process.send!(reply);
  });
});
// The trainer is gone, whatever the reason.
process.on("disconnect", () => process.exit(0));
// Ctrl-C goes to the whole group; the trainer saves first and then lets go.
process.on("SIGINT", () => {});
