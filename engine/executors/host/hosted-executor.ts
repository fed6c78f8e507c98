/** @file The trainer's side of an engine in a process of its own: a crash or a long run there never takes the caller along. */
import { inputName, nextStateName, outputName, stateName } from "../../trace/trace.ts";
import { flattenTree, type HostArray } from "../../tree.ts";
import type { ExecutorProgram, PrepareTask } from "../executor.ts";
import type { HostProcess } from "./host-process.ts";
import type { HostData, HostValue, Signature } from "./messages.ts";

/** Data read from a message shares the message's memory: a copy is the caller's own. */
const own = (data: HostData) => (data.buffer.byteLength === data.byteLength ? data : data.slice());

const hostArray = (value: HostValue, data: HostData): HostArray => ({
  shape: value.shape,
  dtype: value.type as HostArray["dtype"],
  data: own(data),
});

/** What goes in and out of a program; inputs in the order of the task, state in the order of its leaves. */
export function signatureOf({ program, inputs, state }: PrepareTask): Signature {
  const fed = new Map<string, HostValue>();
  for (const { op, attributes, shape } of program.nodes) {
    if (op === "input") fed.set(attributes.name, { name: attributes.name, type: attributes.storage, shape });
  }
  const results = program.outputs.map(({ name, node }) => ({ name, node: program.nodes[node]! }));
  const byName = new Map(results.map(({ name, node }) => [name, node]));
  return {
    inputs: Object.keys(inputs).map((key) => fed.get(inputName(key))!),
    outputs: results
      .filter(({ name }) => name.startsWith(outputName("")))
      .map(({ name, node }) => ({ name, type: node.dtype, shape: node.shape })),
    state: flattenTree(state).map(([path, array]) => {
      const value = fed.get(stateName(path))!;
      const node = byName.get(nextStateName(path));
      // A leaf that comes back as it went in stays where it is.
      const unchanged = node === undefined || (node.op === "input" && node.attributes.name === value.name);
      return { ...value, data: array.data, next: unchanged ? undefined : nextStateName(path) };
    }),
  };
}

/** Has a function compiled there. @param model what the engine compiles */
export async function prepareHosted(
  host: HostProcess,
  handle: number,
  task: PrepareTask,
  signature: Signature,
  model: unknown,
): Promise<ExecutorProgram> {
  await host.send({ method: "create", handle, model, ...signature });
  const order = Object.keys(task.inputs);
  const paths = flattenTree(task.state).map(([path]) => path);
  const prefix = outputName("").length;
  // The arrays themselves are the engine's now.
  const state = signature.state.map(({ name, type, shape }) => ({ name, type, shape }));
  let computeMs = 0;
  return {
    get computeMs() {
      return computeMs;
    },
    async run(values) {
      const answer = await host.send({ method: "run", handle, inputs: order.map((key) => values[key]!) });
      computeMs += answer.computeMs;
      return Object.fromEntries(
        signature.outputs.map((value, index) => [value.name.slice(prefix), hostArray(value, answer.result[index]!)]),
      );
    },
    async state() {
      const { result } = await host.send({ method: "state", handle });
      return state.map((value, index) => [paths[index]!, hostArray(value, result[index]!)] as const);
    },
    async load(entries) {
      const given = new Map(entries);
      await host.send({ method: "load", handle, state: paths.map((path) => given.get(path)!.data) });
    },
    async dispose() {
      await host.send({ method: "dispose", handle });
    },
  };
}
