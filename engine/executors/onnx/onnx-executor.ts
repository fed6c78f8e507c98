/** @file ONNX Runtime in a child process: a crash or a long run there never blocks or kills the caller. */
import { inputName, nextStateName, outputName, stateName } from "../../trace/trace.ts";
import { flattenTree, type HostArray } from "../../tree.ts";
import type { Executor, ExecutorProgram, PrepareTask } from "../executor.ts";
import type { HostData } from "./host-messages.ts";
import { type HostProcess, startHost } from "./host-process.ts";
import type { OnnxValue } from "./onnx-file.ts";
import { toOnnx } from "./onnx-model.ts";

/** Data read from a message shares the message's memory: a copy is the caller's own. */
const own = (data: HostData) => (data.buffer.byteLength === data.byteLength ? data : data.slice());

const hostArray = (value: OnnxValue, data: HostData): HostArray => ({
  shape: value.shape,
  dtype: value.type as HostArray["dtype"],
  data: own(data),
});

async function prepare(
  host: HostProcess,
  handle: number,
  threads: number,
  task: PrepareTask,
): Promise<ExecutorProgram> {
  const { bytes, inputs, outputs } = toOnnx(task.program);
  const order = Object.keys(task.inputs);
  const fed = order.map((key) => inputs.find((value) => value.name === inputName(key))!);
  const names = new Map(task.program.outputs.map(({ name, node }) => [name, node]));
  const results = outputs.filter((value) => value.name.startsWith(outputName("")));
  const state = flattenTree(task.state).map(([path, array]) => {
    const value = inputs.find(({ name }) => name === stateName(path))!;
    const next = nextStateName(path);
    const node = task.program.nodes[names.get(next) ?? -1];
    // A leaf that comes back as it went in stays where it is.
    const unchanged = node === undefined || (node.op === "input" && node.attributes.name === value.name);
    return { ...value, path, data: array.data, next: unchanged ? undefined : next };
  });
  await host.send({
    method: "create",
    handle,
    threads,
    model: bytes,
    inputs: fed,
    outputs: results,
    state: state.map(({ path, ...value }) => value),
  });
  const prefix = outputName("").length;
  let computeMs = 0;
  return {
    get computeMs() {
      return computeMs;
    },
    async run(values) {
      const answer = await host.send({ method: "run", handle, inputs: order.map((key) => values[key]!) });
      computeMs += answer.computeMs;
      return Object.fromEntries(
        results.map((value, index) => [value.name.slice(prefix), hostArray(value, answer.result[index]!)]),
      );
    },
    async state() {
      const { result } = await host.send({ method: "state", handle });
      return state.map((value, index) => [value.path, hostArray(value, result[index]!)] as const);
    },
    async load(entries) {
      const given = new Map(entries);
      await host.send({ method: "load", handle, state: state.map(({ path }) => given.get(path)!.data) });
    },
    async dispose() {
      await host.send({ method: "dispose", handle });
    },
  };
}

export type OnnxExecutor = Executor & { readonly pid: number | undefined };

/** @throws UserError when ONNX Runtime cannot be loaded */
export async function createOnnxExecutor(threads: number, reason: string): Promise<OnnxExecutor> {
  const host = await startHost();
  let handles = 0;
  return {
    kind: "onnxruntime",
    reason,
    // Its kernels for the CPU convert bfloat16 back and forth: slower than float32 and no more exact.
    precisions: ["float32"],
    pid: host.pid,
    prepare: (task) => prepare(host, ++handles, threads, task),
    dispose: () => host.close(),
  };
}
