/** @file How each primitive is written in ONNX (opset 18 and com.microsoft). */
import type { Axes, Node, Op } from "../../program/program.ts";
import { sizeOf } from "../../tree.ts";
import { convolutionEmitters } from "./convolution-emitters.ts";
import type { Emitter } from "./emitter.ts";
import type { OnnxBuilder, Operand } from "./onnx-builder.ts";

type Emitters = { readonly [O in Exclude<Op, "input" | "constant">]: Emitter<O> };

const names = (operands: readonly Operand[]) => operands.map((operand) => operand.name);

const plain =
  <O extends Op>(type: string): Emitter<O> =>
  (onnx, _, operands) =>
    onnx.emit(type, names(operands));

const reducing =
  <O extends "sum" | "mean" | "max" | "min" | "prod">(type: string): Emitter<O> =>
  (onnx, node, [x]) => {
    const { axes, keepDims } = node.attributes as Axes;
    return onnx.emit(type, [x!.name, onnx.integers(axes)], { keepdims: keepDims });
  };

const locating =
  <O extends "argMax" | "argMin">(type: string): Emitter<O> =>
  (onnx, node, [x]) => {
    const { axis } = node.attributes as { axis: number };
    return onnx.cast(onnx.emit(type, [x!.name], { axis, keepdims: 0 }), "int32");
  };

const float = (onnx: OnnxBuilder, value: number) => onnx.constant([value], [], "float32");

/** e^x - 1 without cancellation near 0: there it is 2 t / (1 - t) with t = tanh(x / 2). */
const expm1: Emitter<"expm1"> = (onnx, _, [x]) => {
  const t = onnx.emit("Tanh", [onnx.emit("Mul", [x!.name, float(onnx, 0.5)])]);
  const small = onnx.emit("Div", [onnx.emit("Add", [t, t]), onnx.emit("Sub", [float(onnx, 1), t])]);
  const large = onnx.emit("Sub", [onnx.emit("Exp", [x!.name]), float(onnx, 1)]);
  const isSmall = onnx.emit("Less", [onnx.emit("Abs", [x!.name]), float(onnx, 0.5)]);
  return onnx.emit("Where", [isSmall, small, large]);
};

/** log(1 + x) without cancellation near 0 (Kahan): u = 1 + x; x log(u) / (u - 1). */
const log1p: Emitter<"log1p"> = (onnx, _, [x]) => {
  const u = onnx.emit("Add", [x!.name, float(onnx, 1)]);
  const step = onnx.emit("Sub", [u, float(onnx, 1)]);
  const isZero = onnx.emit("Equal", [step, float(onnx, 0)]);
  const log = onnx.emit("Log", [u]);
  // Infinity over infinity is left out by keeping log(u) where x is as large as u.
  const ratio = onnx.emit("Where", [
    onnx.emit("Equal", [x!.name, step]),
    float(onnx, 1),
    onnx.emit("Div", [x!.name, step]),
  ]);
  return onnx.emit("Where", [isZero, x!.name, onnx.emit("Mul", [log, ratio])]);
};

const floorDiv: Emitter<"floorDiv"> = (onnx, { dtype }, [a, b]) => {
  if (dtype === "float32") return onnx.emit("Floor", [onnx.emit("Div", [a!.name, b!.name])]);
  // Integer division truncates; float64 holds every int32 quotient.
  const quotient = onnx.emit("Div", [onnx.cast(a!.name, "float64"), onnx.cast(b!.name, "float64")]);
  return onnx.cast(onnx.emit("Floor", [quotient]), "int32");
};

/** The remainder takes the divisor's sign. */
const mod: Emitter<"mod"> = (onnx, { dtype }, [a, b]) => {
  if (dtype !== "float32") return onnx.emit("Mod", [a!.name, b!.name]);
  const rest = onnx.emit("Mod", [a!.name, b!.name], { fmod: 1 });
  const zero = float(onnx, 0);
  const negative = (name: string) => onnx.emit("Less", [name, zero]);
  const differs = onnx.emit("Xor", [negative(rest), negative(b!.name)]);
  const isExact = onnx.emit("Equal", [rest, zero]);
  const wraps = onnx.emit("And", [differs, onnx.emit("Not", [isExact])]);
  return onnx.emit("Where", [wraps, onnx.emit("Add", [rest, b!.name]), rest]);
};

const matmul: Emitter<"matmul"> = (onnx, { attributes, shape }, [a, b]) => {
  const transA = Number(attributes.transposeA);
  const transB = Number(attributes.transposeB);
  if (shape.length === 2) return onnx.emit("Gemm", [a!.name, b!.name], { transA, transB });
  if (!transA && !transB) return onnx.emit("MatMul", [a!.name, b!.name]);
  return onnx.emit("FusedMatMul", [a!.name, b!.name], { transA, transB }, { domain: "com.microsoft" });
};

const slice: Emitter<"slice"> = (onnx, { attributes, shape }, [x]) => {
  const { begin, strides } = attributes;
  const beforeStart = -(2 ** 31);
  const moved = begin.flatMap((start, axis) =>
    start !== 0 || strides[axis] !== 1 || shape[axis] !== x!.shape[axis] ? [axis] : [],
  );
  const ends = moved.map((axis) => {
    const end = begin[axis]! + shape[axis]! * strides[axis]!;
    return end < 0 ? beforeStart : end;
  });
  const operands = [moved.map((axis) => begin[axis]!), ends, moved, moved.map((axis) => strides[axis]!)];
  return onnx.emit("Slice", [x!.name, ...operands.map((operand) => onnx.integers(operand))]);
};

/** [..., R] indices into the first R axes as positions in those axes laid flat. */
function flatPositions(onnx: OnnxBuilder, indices: Operand, axes: readonly number[]): string {
  const count = sizeOf(indices.shape.slice(0, -1));
  const rows = onnx.emit("Reshape", [indices.name, onnx.integers([count, axes.length])]);
  if (axes.length === 1) return rows;
  const strides = axes.map((_, axis) => sizeOf(axes.slice(axis + 1)));
  const scaled = onnx.emit("Mul", [rows, onnx.constant(strides, [axes.length], "int32")]);
  return onnx.emit("ReduceSum", [scaled, onnx.integers([1])], { keepdims: 1 });
}

/** Up to here one product with a one-hot matrix is faster than walking through all updates. */
const fewPlaces = 128;

/** ScatterElements walks the updates in order. ScatterND loses some of those that meet when it runs on several threads. */
const scatterNd: Emitter<"scatterNd"> = (onnx, { shape, dtype }, [indices, updates]) => {
  const depth = indices!.shape.at(-1)!;
  const count = sizeOf(indices!.shape.slice(0, -1));
  const inner = sizeOf(shape.slice(depth));
  const positions = flatPositions(onnx, indices!, shape.slice(0, depth)); // [count, 1]
  const rows = onnx.emit("Reshape", [updates!.name, onnx.integers([count, inner])]);
  const outer = sizeOf(shape.slice(0, depth));
  if (dtype === "float32" && outer <= fewPlaces) {
    const places = onnx.constant([...Array(outer).keys()], [outer], "int32");
    const hits = onnx.cast(onnx.emit("Equal", [positions, places]), "float32"); // [count, outer]
    return onnx.emit("Reshape", [onnx.emit("Gemm", [hits, rows], { transA: 1, transB: 0 }), onnx.integers(shape)]);
  }
  const spread = inner === 1 ? positions : onnx.emit("Expand", [positions, onnx.integers([count, inner])]);
  const zeros = onnx.emit("Expand", [onnx.constant([0], [], dtype), onnx.integers([outer, inner])]);
  const sums = onnx.emit("ScatterElements", [zeros, spread, rows], { axis: 0, reduction: "add" });
  return onnx.emit("Reshape", [sums, onnx.integers(shape)]);
};

/** A choice between equal arrays, by a condition that hangs on the other values: nothing is known about it in advance. */
const barrier: Emitter<"barrier"> = (onnx, { dtype }, [x, ...after]) => {
  const corner = [[0], [1]].map((values) => onnx.integers(values));
  const firsts = after.map(({ name, dtype: type }) => {
    const first = onnx.emit("Slice", [onnx.emit("Reshape", [name, onnx.integers([-1])]), ...corner]);
    return type === "float32" ? first : onnx.cast(first, "float32");
  });
  const total = onnx.emit("ReduceSum", [onnx.emit("Concat", firsts, { axis: 0 })], { keepdims: 0 });
  const condition = onnx.cast(total, "bool");
  const value = dtype === "bool" ? onnx.cast(x!.name, "uint8") : x!.name;
  const chosen = onnx.emit("Where", [condition, value, value]);
  return dtype === "bool" ? onnx.cast(chosen, "bool") : chosen;
};

const topK = (onnx: OnnxBuilder, node: Node, [x]: readonly Operand[]) =>
  onnx.emitAll("TopK", [x!.name, onnx.integers([node.shape.at(-1)!])], { axis: -1 }, 2);

export const emitters: Emitters = {
  ...convolutionEmitters,
  abs: plain("Abs"),
  acos: plain("Acos"),
  acosh: plain("Acosh"),
  add: plain("Add"),
  allMean: (_, __, [x]) => x!.name,
  and: plain("And"),
  argMax: locating("ArgMax"),
  argMin: locating("ArgMin"),
  asin: plain("Asin"),
  asinh: plain("Asinh"),
  atan: plain("Atan"),
  atanh: plain("Atanh"),
  barrier,
  broadcast: (onnx, { shape }, [x]) => onnx.emit("Expand", [x!.name, onnx.integers(shape)]),
  cast: (onnx, { dtype }, [x]) => onnx.cast(x!.name, dtype),
  ceil: plain("Ceil"),
  concat: (onnx, { attributes }, operands) => onnx.emit("Concat", names(operands), { axis: attributes.axis }),
  cos: plain("Cos"),
  cosh: plain("Cosh"),
  cumsum: (onnx, { attributes }, [x]) =>
    onnx.emit("CumSum", [x!.name, onnx.constant([attributes.axis], [], "int64")], {
      exclusive: attributes.exclusive,
      reverse: attributes.reverse,
    }),
  div: plain("Div"),
  equal: plain("Equal"),
  erf: plain("Erf"),
  exp: plain("Exp"),
  expm1,
  floor: plain("Floor"),
  floorDiv,
  gather: (onnx, { attributes }, operands) => onnx.emit("Gather", names(operands), { axis: attributes.axis }),
  gatherNd: (onnx, _, [values, indices]) => onnx.emit("GatherND", [values!.name, onnx.cast(indices!.name, "int64")]),
  greater: plain("Greater"),
  greaterEqual: plain("GreaterOrEqual"),
  isInf: plain("IsInf"),
  isNan: plain("IsNaN"),
  less: plain("Less"),
  lessEqual: plain("LessOrEqual"),
  log: plain("Log"),
  log1p,
  matmul,
  max: reducing("ReduceMax"),
  maximum: plain("Max"),
  mean: reducing("ReduceMean"),
  min: reducing("ReduceMin"),
  minimum: plain("Min"),
  mod,
  mul: plain("Mul"),
  neg: plain("Neg"),
  not: plain("Not"),
  or: plain("Or"),
  pad: (onnx, { attributes, dtype }, [x]) => {
    const widths = onnx.integers([...attributes.before, ...attributes.after]);
    return onnx.emit("Pad", [x!.name, widths, onnx.constant([attributes.value], [], dtype)]);
  },
  pow: plain("Pow"),
  prod: reducing("ReduceProd"),
  reciprocal: plain("Reciprocal"),
  relu: plain("Relu"),
  reshape: (onnx, { shape }, [x]) =>
    onnx.emit("Reshape", [x!.name, onnx.integers(shape)], sizeOf(shape) === 0 ? { allowzero: 1 } : {}),
  round: plain("Round"),
  scatterNd,
  select: (onnx, { dtype }, operands) => {
    if (dtype !== "bool") return onnx.emit("Where", names(operands));
    const [condition, ...choices] = operands;
    const asBytes = choices.map((choice) => onnx.cast(choice.name, "uint8"));
    return onnx.cast(onnx.emit("Where", [condition!.name, ...asBytes]), "bool");
  },
  sigmoid: plain("Sigmoid"),
  sign: plain("Sign"),
  sin: plain("Sin"),
  sinh: plain("Sinh"),
  slice,
  softmax: (onnx, _, [x]) => onnx.emit("Softmax", [x!.name], { axis: -1 }),
  softplus: plain("Softplus"),
  sqrt: plain("Sqrt"),
  sub: plain("Sub"),
  sum: reducing("ReduceSum"),
  tan: plain("Tan"),
  tanh: plain("Tanh"),
  tile: (onnx, { attributes }, [x]) => onnx.emit("Tile", [x!.name, onnx.integers(attributes.repeats)]),
  topKIndices: (onnx, node, operands) => onnx.cast(topK(onnx, node, operands)[1]!, "int32"),
  topKValues: (onnx, node, operands) => topK(onnx, node, operands)[0]!,
  transpose: (onnx, { attributes }, [x]) => onnx.emit("Transpose", [x!.name], { perm: attributes.permutation }),
};
