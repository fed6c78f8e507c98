/** @file Kernels that act on each element: arithmetic, comparisons, activations. */
import type * as tf from "@tensorflow/tfjs";
import type { Graph, Value } from "../program/graph.ts";
import * as p from "../program/primitives.ts";
import type { binaryOps, compareOps, DType, unaryOps } from "../program/program.ts";
import type { AB, Lowering, Lowerings, X } from "./lowering.ts";

const one =
  (op: (typeof unaryOps)[number]) =>
  (graph: Graph, { x }: X) =>
    p.unary(graph, op, x);
const two =
  (op: (typeof binaryOps)[number]) =>
  (graph: Graph, { a, b }: AB) =>
    p.binary(graph, op, a, b);

/** Bool operands are compared as int32: executors need not order bools. */
const comparing =
  (op: (typeof compareOps)[number]) =>
  (graph: Graph, { a, b }: AB) => {
    const [left, right] = a.dtype === "bool" ? [p.cast(graph, a, "int32"), p.cast(graph, b, "int32")] : [a, b];
    return p.compare(graph, op, left, right);
  };

const negated =
  (lower: Lowering): Lowering =>
  (graph, inputs, attributes) =>
    p.test(graph, "not", lower(graph, inputs, attributes) as Value);

const square = (graph: Graph, x: Value) => p.binary(graph, "mul", x, x);
const constantLike = (graph: Graph, x: Value, value: number) => p.scalar(graph, value, x.dtype);
const isPositive = (graph: Graph, x: Value) => p.compare(graph, "greater", x, constantLike(graph, x, 0));

function clip(graph: Graph, x: Value, low: number, high: number): Value {
  const raised = p.binary(graph, "maximum", x, constantLike(graph, x, low));
  return p.binary(graph, "minimum", raised, constantLike(graph, x, high));
}

/** Positive part, and `slope` times the rest. */
function leaky(graph: Graph, x: Value, slope: Value): Value {
  return p.select(graph, isPositive(graph, x), x, p.binary(graph, "mul", x, slope));
}

function scaledExponential(graph: Graph, x: Value, alpha: number, scale: number): Value {
  const negative = p.binary(graph, "mul", p.unary(graph, "expm1", x), p.scalar(graph, alpha));
  return p.binary(graph, "mul", p.select(graph, isPositive(graph, x), x, negative), p.scalar(graph, scale));
}

/** Angle of the point (b, a) in (-pi, pi]. */
function atan2(graph: Graph, { a: y, b: x }: AB): Value {
  const zero = p.scalar(graph, 0);
  const base = p.unary(graph, "atan", p.binary(graph, "div", y, x));
  const turn = p.select(graph, p.compare(graph, "less", y, zero), p.scalar(graph, -Math.PI), p.scalar(graph, Math.PI));
  const turned = p.select(graph, p.compare(graph, "less", x, zero), p.binary(graph, "add", base, turn), base);
  const origin = p.compare(graph, "and", p.compare(graph, "equal", x, zero), p.compare(graph, "equal", y, zero));
  return p.select(graph, origin, zero, turned);
}

const unaryKernels = {
  Abs: "abs",
  Acos: "acos",
  Acosh: "acosh",
  Asin: "asin",
  Asinh: "asinh",
  Atan: "atan",
  Atanh: "atanh",
  Ceil: "ceil",
  Cos: "cos",
  Cosh: "cosh",
  Erf: "erf",
  Exp: "exp",
  Expm1: "expm1",
  Floor: "floor",
  Log: "log",
  Log1p: "log1p",
  Neg: "neg",
  Reciprocal: "reciprocal",
  Relu: "relu",
  Round: "round",
  Sigmoid: "sigmoid",
  Sign: "sign",
  Sin: "sin",
  Sinh: "sinh",
  Softplus: "softplus",
  Sqrt: "sqrt",
  Tan: "tan",
  Tanh: "tanh",
} as const;

const seluAlpha = 1.7580993408473768;
const seluScale = 1.0507009873554805;

export const elementwise: Lowerings = {
  ...Object.fromEntries(Object.entries(unaryKernels).map(([kernel, op]) => [kernel, one(op)])),
  Add: two("add"),
  AddN: (graph: Graph, inputs: Record<string, Value>) =>
    Object.values(inputs).reduce((total, next) => p.binary(graph, "add", total, next)),
  Atan2: atan2,
  Cast: (graph: Graph, { x }: X, { dtype }: tf.CastAttrs) => p.cast(graph, x, dtype as DType),
  ClipByValue: (graph: Graph, { x }: X, { clipValueMin, clipValueMax }: tf.ClipByValueAttrs) =>
    clip(graph, x, clipValueMin, clipValueMax),
  Elu: (graph: Graph, { x }: X) => scaledExponential(graph, x, 1, 1),
  EluGrad: (graph: Graph, { dy, y }: { dy: Value; y: Value }) => {
    const slope = p.binary(graph, "add", y, p.scalar(graph, 1));
    const positive = p.compare(graph, "greaterEqual", y, p.scalar(graph, 0));
    return p.select(graph, positive, dy, p.binary(graph, "mul", dy, slope));
  },
  Equal: comparing("equal"),
  FloorDiv: two("floorDiv"),
  FusedBatchNorm: batchNorm,
  Greater: comparing("greater"),
  GreaterEqual: comparing("greaterEqual"),
  IsFinite: (graph: Graph, { x }: X) => {
    const outside = p.compare(graph, "or", p.test(graph, "isNan", x), p.test(graph, "isInf", x));
    return p.test(graph, "not", outside);
  },
  IsInf: (graph: Graph, { x }: X) => p.test(graph, "isInf", x),
  IsNan: (graph: Graph, { x }: X) => p.test(graph, "isNan", x),
  LeakyRelu: (graph: Graph, { x }: X, { alpha }: tf.LeakyReluAttrs) => leaky(graph, x, p.scalar(graph, alpha)),
  Less: comparing("less"),
  LessEqual: comparing("lessEqual"),
  LogicalAnd: (graph: Graph, { a, b }: AB) => p.compare(graph, "and", a, b),
  LogicalNot: (graph: Graph, { x }: X) => p.test(graph, "not", x),
  LogicalOr: (graph: Graph, { a, b }: AB) => p.compare(graph, "or", a, b),
  Maximum: two("maximum"),
  Minimum: two("minimum"),
  Mod: two("mod"),
  Multiply: two("mul"),
  NotEqual: negated(comparing("equal") as Lowering),
  Pow: two("pow"),
  Prelu: (graph: Graph, { x, alpha }: { x: Value; alpha: Value }) => leaky(graph, x, alpha),
  RealDiv: two("div"),
  Relu6: (graph: Graph, { x }: X) => clip(graph, x, 0, 6),
  Rsqrt: (graph: Graph, { x }: X) => p.unary(graph, "reciprocal", p.unary(graph, "sqrt", x)),
  Select: (graph: Graph, { condition, t, e }: { condition: Value; t: Value; e: Value }) =>
    p.select(graph, condition, t, e),
  Selu: (graph: Graph, { x }: X) => scaledExponential(graph, x, seluAlpha / seluScale, seluScale),
  Square: (graph: Graph, { x }: X) => square(graph, x),
  SquaredDifference: (graph: Graph, { a, b }: AB) => square(graph, p.binary(graph, "sub", a, b)),
  Step: (graph: Graph, { x }: X, { alpha }: tf.StepAttrs) => {
    const below = constantLike(graph, x, alpha);
    return p.select(graph, isPositive(graph, x), constantLike(graph, x, 1), below);
  },
  Sub: two("sub"),
};

type BatchNorm = { x: Value; mean: Value; variance: Value; offset?: Value; scale?: Value };

function batchNorm(graph: Graph, inputs: Record<string, Value>, attributes: object): Value {
  const { x, mean, variance, offset, scale } = inputs as BatchNorm;
  const { varianceEpsilon } = attributes as tf.FusedBatchNormAttrs;
  const deviation = p.unary(graph, "sqrt", p.binary(graph, "add", variance, p.scalar(graph, varianceEpsilon)));
  const unit = p.binary(graph, "div", p.binary(graph, "sub", x, mean), deviation);
  const scaled = scale === undefined ? unit : p.binary(graph, "mul", unit, scale);
  return offset === undefined ? scaled : p.binary(graph, "add", scaled, offset);
}
