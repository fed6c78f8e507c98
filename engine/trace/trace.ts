/** @file Records a function of tensors as a program, twice, and compares the two. */
import { ShapeError, UserError } from "#core/errors.ts";
import type { InputSpec } from "../inputs.ts";
import type { Value } from "../program/graph.ts";
import { type Node, type Program, printProgram, removeDeadNodes } from "../program/program.ts";
import { type tf, withBackend } from "../tf.ts";
import { describeArray, flattenTree, type HostArray, mapTree, type Tree } from "../tree.ts";
import { callerLocation } from "./caller-location.ts";
import { graphValue, symbolicTensor, tracingBackendName, withTracing } from "./tracing-backend.ts";

/**
 * A function that can be compiled: everything it computes comes from `state` and `inputs`. `state`, where returned, has
 * the structure, shapes and dtypes of the one taken.
 */
export type TracedFunction<S extends Tree<tf.Tensor> = Tree<tf.Tensor>> = (
  state: S,
  inputs: Record<string, tf.Tensor>,
) => { readonly state?: S; readonly outputs: Record<string, tf.Tensor> };

export type Signature = {
  readonly name: string;
  readonly state: Tree<HostArray>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
};

/** Program inputs are named `state:path` and `input:name`, its outputs `next:path` and `output:name`. */
export const stateName = (path: string) => `state:${path}`;
export const nextStateName = (path: string) => `next:${path}`;
export const inputName = (name: string) => `input:${name}`;
export const outputName = (name: string) => `output:${name}`;

type Named = { readonly name: string; readonly value: Value };

/** Checks the leaves of a returned state against those taken. @returns pairs in the order of `taken` */
export function matchState(
  name: string,
  taken: Tree<{ readonly shape: readonly number[]; readonly dtype: string }>,
  returned: Tree<tf.Tensor>,
): [path: string, tensor: tf.Tensor][] {
  const got = new Map(flattenTree(returned));
  const pairs = flattenTree(taken).map(([path, leaf]): [string, tf.Tensor] => {
    const tensor = got.get(path);
    const found = tensor === undefined ? "nothing" : describeArray(tensor);
    if (tensor === undefined || found !== describeArray(leaf)) {
      throw new ShapeError(
        `compile "${name}": returned state "${path}" must stay ${describeArray(leaf)}, got ${found}.`,
      );
    }
    got.delete(path);
    return [path, tensor];
  });
  const [surplus] = got.keys();
  if (surplus !== undefined) {
    throw new ShapeError(`compile "${name}": returned state "${surplus}" is not part of the state that was taken.`);
  }
  return pairs;
}

function traceOnce(fn: TracedFunction, signature: Signature, onNode?: (index: number) => void): Program {
  const { name, state, inputs } = signature;
  return withBackend(tracingBackendName, () =>
    withTracing(onNode, (graph) => {
      const stateTensors = mapTree(state, (leaf, path) =>
        symbolicTensor(graph, graph.input(stateName(path), leaf.shape, leaf.dtype)),
      );
      const inputTensors = Object.entries(inputs).map(([key, spec]) => {
        const value = graph.input(inputName(key), spec.shape, spec.dtype);
        return [key, symbolicTensor(graph, value)] as const;
      });
      const result = fn(stateTensors, Object.fromEntries(inputTensors));
      const outputs: Named[] = Object.entries(result.outputs).map(([key, tensor]) => ({
        name: outputName(key),
        value: graphValue(graph, tensor),
      }));
      if (result.state !== undefined) {
        for (const [path, tensor] of matchState(name, state, result.state)) {
          outputs.push({ name: nextStateName(path), value: graphValue(graph, tensor) });
        }
      }
      return graph.finish(name, outputs);
    }),
  );
}

function sameNode(a: Node | undefined, b: Node | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.op === "constant" && b.op === "constant" && !sameBits(a.attributes.values, b.attributes.values)) return false;
  const describe = ({ op, operands, attributes, shape, dtype }: Node) =>
    JSON.stringify([op, operands, op === "constant" ? 0 : attributes, shape, dtype]);
  return describe(a) === describe(b);
}

const sameBits = (a: ArrayBufferView, b: ArrayBufferView) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/**
 * Traces `fn` into a program without dead nodes.
 *
 * @throws UserError when two traces differ: something outside of state and inputs (Math.random, the time, a counter) was
 *   baked in; the message says where
 */
export function traceProgram(fn: TracedFunction, signature: Signature): Program {
  const first = traceOnce(fn, signature);
  const second = traceOnce(fn, signature);
  const length = Math.max(first.nodes.length, second.nodes.length);
  for (let index = 0; index < length; index++) {
    if (sameNode(first.nodes[index], second.nodes[index])) continue;
    throw bakedValue(fn, signature, index, [first, second]);
  }
  return removeDeadNodes(first);
}

function bakedValue(fn: TracedFunction, signature: Signature, index: number, programs: readonly Program[]): UserError {
  let place = "an unknown place";
  traceOnce(fn, signature, (node) => {
    if (node === index) place = callerLocation();
  });
  const describe = (program: Program) => {
    const node = program.nodes[index];
    return node === undefined ? "nothing" : printProgram({ name: "", nodes: [node], outputs: [] }).split(" = ")[1];
  };
  return new UserError(
    `compile "${signature.name}": two traces must give the same program, but at ${place} one has ` +
      `${describe(programs[0]!)} and the other ${describe(programs[1]!)}. JavaScript randomness, the time or a counter ` +
      "is baked in; pass it as an input.",
  );
}
