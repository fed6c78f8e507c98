/** @file Kernels that reduce or normalise along axes. */
import * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import type { DType, reduceOps } from "../program/program.ts";
import type { Lowerings, X } from "./lowering.ts";

type Axis = { readonly axis: number | number[]; readonly keepDims: boolean };

const axesOf = (axis: number | number[], x: Value) => tf.util.parseAxisParam(axis, [...x.shape]);

/** @param accumulate the dtype to reduce in, where it differs from the input's */
const reducing =
  (op: (typeof reduceOps)[number], accumulate?: DType) =>
  (graph: Graph, { x }: X, { axis, keepDims }: Axis) => {
    const dtype = accumulate ?? (x.dtype === "bool" ? "int32" : x.dtype);
    return p.reduce(graph, op, p.cast(graph, x, dtype), axesOf(axis, x), keepDims);
  };

/** Bools are reduced as int32: all is the smallest, any the largest. */
const deciding =
  (op: "min" | "max") =>
  (graph: Graph, { x }: X, { axis, keepDims }: Axis) =>
    p.cast(graph, p.reduce(graph, op, p.cast(graph, x, "int32"), axesOf(axis, x), keepDims), "bool");

const locating =
  (op: "argMax" | "argMin") =>
  (graph: Graph, { x }: X, { axis }: { axis: number }) => {
    const [place] = axesOf(axis, x);
    const shape = x.shape.filter((_, index) => index !== place);
    return graph.emit(op, [x], { axis: place! }, shape, "int32");
  };

/** Moves `axis` last, applies `work`, and moves it back. */
function onLastAxis(graph: Graph, x: Value, axis: number, work: (moved: Value) => Value): Value {
  const last = x.shape.length - 1;
  const order = x.shape.map((_, index) => index);
  [order[axis], order[last]] = [last, axis];
  return p.transpose(graph, work(p.transpose(graph, x, order)), order);
}

/** Running product in ceil(log2 n) shifted products. */
function cumprod(graph: Graph, { x }: X, { axis, exclusive, reverse }: tf.CumprodAttrs): Value {
  const [place] = axesOf(axis, x);
  return onLastAxis(graph, x, place!, (moved) => {
    const last = moved.shape.length - 1;
    const size = moved.shape[last]!;
    const along = (count: number) => moved.shape.map((_, index) => (index === last ? count : 0));
    const shifted = (value: Value, by: number) => {
      const begin = reverse ? along(by) : along(0);
      const shape = moved.shape.map((n, index) => (index === last ? size - by : n));
      const kept = p.slice(graph, value, begin, shape);
      return reverse ? p.pad(graph, kept, along(0), along(by), 1) : p.pad(graph, kept, along(by), along(0), 1);
    };
    let product = exclusive ? shifted(moved, 1) : moved;
    for (let step = 1; step < size; step *= 2) product = p.binary(graph, "mul", product, shifted(product, step));
    return product;
  });
}

export const reductions: Lowerings = {
  All: deciding("min"),
  Any: deciding("max"),
  ArgMax: locating("argMax"),
  ArgMin: locating("argMin"),
  Cumprod: cumprod,
  Cumsum: (graph: Graph, { x }: X, { axis, exclusive, reverse }: tf.CumsumAttrs) => {
    const [place] = axesOf(axis, x);
    const dtype = x.dtype === "bool" ? "int32" : x.dtype;
    return graph.emit("cumsum", [p.cast(graph, x, dtype)], { axis: place!, exclusive, reverse }, x.shape, dtype);
  },
  Max: (graph: Graph, { x }: X, { reductionIndices, keepDims }: tf.MaxAttrs) =>
    reducing("max")(graph, { x }, { axis: reductionIndices, keepDims }),
  Mean: reducing("mean", "float32"),
  Min: reducing("min"),
  Prod: reducing("prod"),
  Softmax: (graph: Graph, { logits }: { logits: Value }, { dim }: tf.SoftmaxAttrs) => {
    const place = axesOf(dim, logits)[0]!;
    const softmax = (x: Value) => graph.emit("softmax", [x], {}, x.shape, "float32");
    return onLastAxis(graph, p.cast(graph, logits, "float32"), place, softmax);
  },
  Sum: reducing("sum"),
};
