/**
 * @file A TensorFlow.js backend whose tensors hold no numbers: each kernel appends nodes to the graph of the running
 * trace. Kernels on constants alone are computed at once by the CPU backend.
 */
import * as tf from "@tensorflow/tfjs";
import { ShapeError, UserError } from "#core/errors.ts";
import { createGraph, type Graph, typedArray, type Value } from "../program/graph.ts";
import type { DType, TypedArray } from "../program/program.ts";
import { callerLocation } from "./caller-location.ts";
import { lowerings } from "./lowerings.ts";

export const tracingBackendName = "armature-trace";

type Content = { readonly values: TypedArray } | { readonly value: Value; readonly graph: Graph };
type Stored = {
  readonly content: Content;
  readonly shape: readonly number[];
  readonly dtype: DType;
  references: number;
};

let activeGraph: Graph | undefined;

class TracingBackend extends tf.KernelBackend {
  readonly stored = new tf.DataStorage<Stored>(this, tf.engine());

  override write(values: tf.BackendValues, shape: number[], dtype: DType): object {
    const id = {};
    this.move(id, values, shape, dtype, 1);
    return id;
  }

  override move(id: object, values: tf.BackendValues, shape: number[], dtype: DType, references: number): void {
    this.store(id, { values: typedArray(values as ArrayLike<number>, dtype) }, shape, dtype, references);
  }

  store(id: object, content: Content, shape: readonly number[], dtype: DType, references = 1): void {
    this.stored.set(id, { content, shape, dtype, references });
  }

  override readSync(id: object): TypedArray {
    const { content } = this.stored.get(id);
    if ("values" in content) return content.values;
    throw new UserError(
      `trace: the value of a tensor was read at ${callerLocation()}, but it is known only when the program runs. ` +
        "Use tensor operations (tf.where, tf.gather) in place of JavaScript that looks at numbers.",
    );
  }

  override async read(id: object): Promise<TypedArray> {
    return this.readSync(id);
  }

  override disposeData(id: object, force = false): boolean {
    if (!this.stored.has(id)) return true;
    const entry = this.stored.get(id);
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.stored.delete(id);
    return true;
  }

  override incRef(id: object): void {
    this.stored.get(id).references++;
  }

  override refCount(id: object): number {
    return this.stored.has(id) ? this.stored.get(id).references : 0;
  }

  override numDataIds = () => this.stored.numDataIds();
  override memory = () => ({ unreliable: true });
  override floatPrecision = (): 32 => 32;
  override epsilon = () => 1e-7;
  override timerAvailable = () => false;
  override dispose(): void {}
}

const backend = new TracingBackend();

/** A tensor of the running trace whose numbers are `value`. */
export function symbolicTensor(graph: Graph, value: Value): tf.Tensor {
  const id = {};
  backend.store(id, { value, graph }, value.shape, value.dtype);
  return tf.engine().makeTensorFromDataId(id, [...value.shape], value.dtype, backend);
}

/** The graph value of a tensor; a tensor with known numbers becomes a constant. */
export function graphValue(graph: Graph, tensor: tf.TensorInfo): Value {
  const { content } = backend.stored.get(tensor.dataId);
  if ("values" in content) return graph.constant(content.values, tensor.shape, tensor.dtype as DType);
  if (content.graph !== graph) {
    throw new UserError(
      `trace: a tensor made in an earlier trace is used at ${callerLocation()}. ` +
        "Make tensors inside the traced function; do not keep them in variables outside.",
    );
  }
  // A kernel such as Identity may give the same data another shape only through Reshape, so the shapes agree.
  return content.value;
}

/** Runs `work` on a fresh graph with this backend active; all tensors made inside are forgotten. */
export function withTracing<T>(onNode: ((index: number) => void) | undefined, work: (graph: Graph) => T): T {
  if (activeGraph !== undefined) throw new Error("trace: traces do not nest");
  const graph = createGraph(onNode);
  activeGraph = graph;
  const engine = tf.engine();
  engine.startScope("trace");
  try {
    return work(graph);
  } finally {
    engine.endScope();
    activeGraph = undefined;
  }
}

type Inputs = Record<string, tf.TensorInfo>;
type KernelCall = { inputs: tf.NamedTensorInfoMap; attrs?: tf.NamedAttrMap };

/** Runs a kernel on the CPU backend when every input is known; `undefined` otherwise. */
function fold(
  kernel: tf.KernelConfig | undefined,
  inputs: Inputs,
  attrs: tf.NamedAttrMap,
): tf.TensorInfo[] | undefined {
  const cpu = tf.engine().findBackend("cpu") as CpuBackend;
  const known = Object.entries(inputs).map(([name, input]) => [name, input, backend.stored.get(input.dataId)] as const);
  if (kernel === undefined || known.some(([, , stored]) => !("values" in stored.content))) return undefined;
  const moved = known.map(([name, input, stored]) => {
    const { values } = stored.content as { values: TypedArray };
    return [name, cpu.makeTensorInfo(input.shape, input.dtype, values)] as const;
  });
  const named = Array.isArray(inputs) ? moved.map(([, info]) => info) : Object.fromEntries(moved);
  const result = kernel.kernelFunc({ inputs: named as tf.NamedTensorInfoMap, attrs, backend: cpu });
  return [result].flat().map(({ dataId, shape, dtype }) => {
    const values = typedArray(cpu.readSync(dataId) as TypedArray, dtype as DType);
    return { dataId: backend.write(values, shape, dtype as DType), shape, dtype };
  });
}

type CpuBackend = tf.KernelBackend & {
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: TypedArray): tf.TensorInfo;
  readSync(id: object): tf.BackendValues;
};

/** Says where a kernel was called when its operands do not fit. */
function translate<T>(name: string, lower: () => T): T {
  try {
    return lower();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ShapeError(`trace: the kernel "${name}" used at ${callerLocation()} does not fit: ${problem}.`, {
      cause,
    });
  }
}

function runKernel(
  name: string,
  cpuKernel: tf.KernelConfig | undefined,
  call: KernelCall,
): tf.TensorInfo | tf.TensorInfo[] {
  const attributes = call.attrs ?? {};
  const inputs = Object.fromEntries(Object.entries(call.inputs).filter(([, input]) => input != null)) as Inputs;
  const folded = fold(cpuKernel, Array.isArray(call.inputs) ? (call.inputs as unknown as Inputs) : inputs, attributes);
  const many = name === "SplitV" || name === "Unpack" || name === "TopK";
  if (folded !== undefined) return many ? folded : folded[0]!;
  const lowering = lowerings.get(name);
  if (lowering === undefined) {
    throw new UserError(
      `trace: the TensorFlow.js kernel "${name}" used at ${callerLocation()} has no translation. ` +
        "Write it with other operations, or add it to engine/trace.",
    );
  }
  if (activeGraph === undefined) throw new Error(`trace: kernel "${name}" ran outside of a trace`);
  const graph = activeGraph;
  const values = Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, graphValue(graph, input)]));
  const results = [translate(name, () => lowering(graph, values, attributes))]
    .flat()
    .map((value: Value): tf.TensorInfo => {
      const dataId = {};
      backend.store(dataId, { value, graph }, value.shape, value.dtype);
      return { dataId, shape: [...value.shape], dtype: value.dtype };
    });
  return many ? results : results[0]!;
}

tf.registerBackend(tracingBackendName, () => backend, 0);

const cpuKernels = new Map(tf.getKernelsForBackend("cpu").map((kernel) => [kernel.kernelName, kernel]));
for (const kernelName of new Set([...cpuKernels.keys(), ...lowerings.keys()])) {
  const kernelFunc = (call: KernelCall) => runKernel(kernelName, cpuKernels.get(kernelName), call);
  tf.registerKernel({ kernelName, backendName: tracingBackendName, kernelFunc: kernelFunc as tf.KernelFunc });
}
// Identity shares its input's data, as on the other backends.
tf.unregisterKernel("Identity", tracingBackendName);
tf.registerKernel({
  kernelName: "Identity",
  backendName: tracingBackendName,
  kernelFunc: ({ inputs }) => {
    const { x } = inputs as { x: tf.TensorInfo };
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },
});
