/** @file One function per primitive: infers the result's shape, and leaves out nodes that change nothing. */
import { sizeOf } from "../tree.ts";
import { type Graph, uniformValue, type Value } from "./graph.ts";
import type { binaryOps, Convolution, compareOps, DType, Node, reduceOps, testOps, unaryOps } from "./program.ts";

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((n, i) => n === b[i]);
const nodeOf = (graph: Graph, value: Value): Node => graph.nodes[value.id]!;

/** The value that node `id` makes. */
function valueAt(graph: Graph, id: number): Value {
  const { shape, dtype } = graph.nodes[id]!;
  return { id, shape, dtype };
}

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const sizeA = a[a.length - rank + index] ?? 1;
    const sizeB = b[b.length - rank + index] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return sizeA === 1 ? sizeB : sizeA;
  });
}

export const unary = (graph: Graph, op: (typeof unaryOps)[number], x: Value): Value =>
  graph.emit(op, [x], {}, x.shape, x.dtype);

export const test = (graph: Graph, op: (typeof testOps)[number], x: Value): Value =>
  graph.emit(op, [x], {}, x.shape, "bool");

/** Operands broadcast by themselves: drops explicit broadcasts that do not change the result's shape. */
function withoutBroadcasts(graph: Graph, operands: readonly Value[], shape: readonly number[]): Value[] {
  const stripped = [...operands];
  operands.forEach((operand, index) => {
    const node = nodeOf(graph, operand);
    if (node.op !== "broadcast") return;
    const source = valueAt(graph, node.operands[0]!);
    const others = stripped.filter((_, other) => other !== index).map((other) => other.shape);
    if (sameShape(others.reduce(broadcastShape, source.shape as number[]), shape)) stripped[index] = source;
  });
  return stripped;
}

const neutral: Partial<Record<(typeof binaryOps)[number], { readonly left?: number; readonly right: number }>> = {
  add: { left: 0, right: 0 },
  mul: { left: 1, right: 1 },
  sub: { right: 0 },
  div: { right: 1 },
};

/** A product with a condition is a choice: the gradients of relu, maximum and where lose one pass. */
function chosen(graph: Graph, left: Value, right: Value, shape: readonly number[]): Value | undefined {
  for (const [mask, kept] of [
    [left, right],
    [right, left],
  ] as const) {
    const node = nodeOf(graph, mask);
    const condition = node.op === "cast" ? valueAt(graph, node.operands[0]!) : undefined;
    // A choice between two numbers is slower than the product.
    if (condition?.dtype !== "bool" || uniformValue(graph, kept) !== undefined || !sameShape(kept.shape, shape))
      continue;
    return select(graph, condition, kept, scalar(graph, 0, kept.dtype));
  }
  return undefined;
}

export function binary(graph: Graph, op: (typeof binaryOps)[number], left: Value, right: Value): Value {
  const shape = broadcastShape(left.shape, right.shape);
  const choice = op === "mul" ? chosen(graph, left, right, shape) : undefined;
  if (choice !== undefined) return choice;
  const skip = neutral[op];
  if (skip !== undefined) {
    if (uniformValue(graph, right) === skip.right) return broadcast(graph, left, shape);
    if (skip.left !== undefined && uniformValue(graph, left) === skip.left) return broadcast(graph, right, shape);
  }
  return graph.emit(op, withoutBroadcasts(graph, [left, right], shape), {}, shape, left.dtype);
}

export function compare(graph: Graph, op: (typeof compareOps)[number], left: Value, right: Value): Value {
  const shape = broadcastShape(left.shape, right.shape);
  return graph.emit(op, withoutBroadcasts(graph, [left, right], shape), {}, shape, "bool");
}

export function select(graph: Graph, condition: Value, whenTrue: Value, whenFalse: Value): Value {
  const shape = broadcastShape(broadcastShape(condition.shape, whenTrue.shape), whenFalse.shape);
  if (uniformValue(graph, whenTrue) === 1 && uniformValue(graph, whenFalse) === 0) {
    return cast(graph, broadcast(graph, condition, shape), whenTrue.dtype);
  }
  const operands = withoutBroadcasts(graph, [condition, whenTrue, whenFalse], shape);
  return graph.emit("select", operands, {}, shape, whenTrue.dtype);
}

export const scalar = (graph: Graph, value: number, dtype: DType = "float32"): Value =>
  graph.constant([value], [], dtype);

export const cast = (graph: Graph, x: Value, dtype: DType): Value =>
  x.dtype === dtype ? x : graph.emit("cast", [x], {}, x.shape, dtype);

export function reshape(graph: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const node = nodeOf(graph, x);
  if (node.op === "reshape") return reshape(graph, valueAt(graph, node.operands[0]!), shape);
  if (node.op === "constant") return graph.constant(node.attributes.values, shape, x.dtype);
  const source = node.op === "broadcast" ? valueAt(graph, node.operands[0]!) : undefined;
  if (source?.shape.length === 0) return broadcast(graph, source, shape);
  return graph.emit("reshape", [x], {}, shape, x.dtype);
}

export function broadcast(graph: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const node = nodeOf(graph, x);
  if (node.op === "broadcast") return broadcast(graph, valueAt(graph, node.operands[0]!), shape);
  return graph.emit("broadcast", [x], {}, shape, x.dtype);
}

export function transpose(graph: Graph, x: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((axis) => x.shape[axis]!);
  const moved = permutation.filter((axis) => x.shape[axis] !== 1);
  // Moving axes of size 1 about moves no data.
  if (moved.every((axis, index) => index === 0 || moved[index - 1]! < axis)) return reshape(graph, x, shape);
  const node = nodeOf(graph, x);
  if (node.op === "transpose") {
    const inner = node.attributes.permutation;
    return transpose(
      graph,
      valueAt(graph, node.operands[0]!),
      permutation.map((axis) => inner[axis]!),
    );
  }
  return graph.emit("transpose", [x], { permutation: [...permutation] }, shape, x.dtype);
}

export function slice(
  graph: Graph,
  x: Value,
  begin: readonly number[],
  shape: readonly number[],
  strides: readonly number[] = begin.map(() => 1),
): Value {
  if (sameShape(x.shape, shape) && strides.every((stride) => stride === 1)) return x;
  return graph.emit("slice", [x], { begin: [...begin], strides: [...strides] }, shape, x.dtype);
}

export function pad(graph: Graph, x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  const shape = x.shape.map((size, axis) => size + before[axis]! + after[axis]!);
  if (sameShape(shape, x.shape)) return x;
  return graph.emit("pad", [x], { before: [...before], after: [...after], value }, shape, x.dtype);
}

export function concat(graph: Graph, parts: readonly Value[], axis: number): Value {
  if (parts.length === 1) return parts[0]!;
  const shape = [...parts[0]!.shape];
  shape[axis] = parts.reduce((total, part) => total + part.shape[axis]!, 0);
  return graph.emit("concat", parts, { axis }, shape, parts[0]!.dtype);
}

export function tile(graph: Graph, x: Value, repeats: readonly number[]): Value {
  const shape = x.shape.map((size, axis) => size * repeats[axis]!);
  if (x.shape.every((size, axis) => size === 1 || repeats[axis] === 1)) return broadcast(graph, x, shape);
  return graph.emit("tile", [x], { repeats: [...repeats] }, shape, x.dtype);
}

export function reduce(
  graph: Graph,
  op: (typeof reduceOps)[number],
  x: Value,
  axes: readonly number[],
  keepDims = false,
): Value {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const shape = keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  if (sameShape(kept, x.shape)) return reshape(graph, x, shape);
  return graph.emit(op, [x], { axes: [...axes], keepDims }, shape, x.dtype);
}

/** Absorbs a transpose of the last two axes into the product's flag. */
function untransposed(graph: Graph, x: Value): Value | undefined {
  const node = nodeOf(graph, x);
  if (node.op !== "transpose") return undefined;
  const { permutation } = node.attributes;
  const rank = permutation.length;
  const swaps = permutation.every((axis, i) => axis === (i === rank - 2 ? rank - 1 : i === rank - 1 ? rank - 2 : i));
  return swaps ? valueAt(graph, node.operands[0]!) : undefined;
}

/** [..., M, K] x [..., K, N]; a matrix on the right is applied to all rows of a higher-rank left at once. */
export function matmul(graph: Graph, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const plainA = untransposed(graph, a);
  if (plainA !== undefined) return matmul(graph, plainA, b, !transposeA, transposeB);
  const plainB = untransposed(graph, b);
  if (plainB !== undefined) return matmul(graph, a, plainB, transposeA, !transposeB);
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  if (b.shape.length === 2 && a.shape.length > 2 && !transposeA) {
    const flat = reshape(graph, a, [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1)!]);
    return reshape(graph, matmul(graph, flat, b, false, transposeB), [...a.shape.slice(0, -1), columns]);
  }
  const shape = [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
  return graph.emit("matmul", [a, b], { transposeA, transposeB }, shape, a.dtype);
}

export const conv2d = (
  graph: Graph,
  x: Value,
  filter: Value,
  attributes: Convolution,
  shape: readonly number[],
): Value => graph.emit("conv2d", [x, filter], attributes, shape, x.dtype);

/** Takes whole slices along `axis`; `indices` may have any rank. */
export function gather(graph: Graph, values: Value, indices: Value, axis: number): Value {
  const shape = [...values.shape.slice(0, axis), ...indices.shape, ...values.shape.slice(axis + 1)];
  return graph.emit("gather", [values, indices], { axis }, shape, values.dtype);
}
