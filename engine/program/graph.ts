/** @file Builds a program node by node: equal nodes are shared and constants are kept once. */
import { createHash } from "node:crypto";
import { sizeOf } from "../tree.ts";
import type { Attributes, DType, Node, Op, Program, TypedArray } from "./program.ts";

/** The result of a node. */
export type Value = { readonly id: number; readonly shape: readonly number[]; readonly dtype: DType };

export type Graph = {
  readonly nodes: readonly Node[];
  emit<O extends Op>(
    op: O,
    operands: readonly Value[],
    attributes: Attributes[O],
    shape: readonly number[],
    dtype: DType,
  ): Value;
  input(name: string, shape: readonly number[], storage: DType | "uint8"): Value;
  /** An array known now. One filled with a single value is kept as that value and a broadcast. */
  constant(values: ArrayLike<number>, shape: readonly number[], dtype: DType): Value;
  finish(name: string, outputs: readonly { readonly name: string; readonly value: Value }[]): Program;
};

export function typedArray(values: ArrayLike<number>, dtype: DType): TypedArray {
  if (dtype === "float32") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === "int32") return values instanceof Int32Array ? values : Int32Array.from(values);
  return values instanceof Uint8Array ? values : Uint8Array.from(values);
}

const digest = (values: TypedArray) => {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return bytes.length <= 64 ? bytes.toString("hex") : createHash("sha1").update(bytes).digest("hex");
};

/** JSON has no infinities. */
const nonFinite = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

/** @param onNode called with the index of each new node, right after it was added */
export function createGraph(onNode?: (index: number) => void): Graph {
  const nodes: Node[] = [];
  const known = new Map<string, number>();

  const add = (node: Node, key: string): Value => {
    let id = known.get(key);
    if (id === undefined) {
      id = nodes.push(node) - 1;
      known.set(key, id);
      onNode?.(id);
    }
    return { id, shape: node.shape, dtype: node.dtype };
  };

  const graph: Graph = {
    nodes,
    emit(op, operands, attributes, shape, dtype) {
      const ids = operands.map((operand) => operand.id);
      const key = `${op} ${ids} ${JSON.stringify(attributes, nonFinite)} ${shape} ${dtype}`;
      return add({ op, operands: ids, attributes, shape: [...shape], dtype } as Node, key);
    },
    input: (name, shape, storage) =>
      graph.emit("input", [], { name, storage }, shape, storage === "uint8" ? "float32" : storage),
    constant(values, shape, dtype) {
      const typed = typedArray(values, dtype);
      const first = typed[0];
      if (first !== undefined && shape.length > 0 && typed.every((value) => Object.is(value, first))) {
        const scalar = graph.constant([first], [], dtype);
        return graph.emit("broadcast", [scalar], {}, shape, dtype);
      }
      // A copy: the caller may go on writing into its array.
      const copy = typed.slice();
      return add(
        { op: "constant", operands: [], attributes: { values: copy }, shape: [...shape], dtype },
        `constant ${shape} ${dtype} ${digest(copy)}`,
      );
    },
    finish: (name, outputs) => ({
      name,
      nodes: [...nodes],
      outputs: outputs.map((output) => ({ name: output.name, node: output.value.id })),
    }),
  };
  return graph;
}

/** The one number a value is made of everywhere, where that is known. */
export function uniformValue(graph: Graph, value: Value): number | undefined {
  const node = graph.nodes[value.id]!;
  if (node.op === "broadcast") return uniformValue(graph, { ...value, id: node.operands[0]! });
  return node.op === "constant" && sizeOf(node.shape) === 1 ? node.attributes.values[0] : undefined;
}
