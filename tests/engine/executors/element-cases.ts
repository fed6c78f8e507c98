import { tf } from "#engine/index.ts";
import {
  asFloat,
  between,
  binary,
  cube,
  distinct,
  exactly,
  exactlyWhole,
  flat,
  float,
  type KernelCase,
  unary,
} from "./kernel-case.ts";

const awkward = exactly([-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 3.2, -3.7, 1e-4, -1e-4, 40]);

const unaries: KernelCase[] = [
  unary("abs", tf.abs, between(0.2, 2, 5)),
  unary("acos", tf.acos, between(-0.9, 0.9, 6)),
  unary("acosh", tf.acosh, between(1.3, 4, 6)),
  unary("asin", tf.asin, between(-0.9, 0.9, 6)),
  unary("asinh", tf.asinh),
  unary("atan", tf.atan),
  unary("atanh", tf.atanh, between(-0.8, 0.8, 6)),
  flat(unary("ceil", tf.ceil, awkward)),
  unary("cos", tf.cos),
  unary("cosh", tf.cosh),
  unary("elu", tf.elu),
  unary("erf", tf.erf),
  unary("exp", tf.exp),
  unary("expm1", tf.expm1),
  flat(unary("expm1 near 0 and far", tf.expm1, exactly([1e-7, -1e-7, 1e-4, 0, 0.49, 0.51, -0.51, -20, 10]))),
  flat(unary("floor", tf.floor, awkward)),
  unary("leakyRelu", (x) => tf.leakyRelu(x, 0.3)),
  unary("log", tf.log, between(0.3, 3, 6)),
  unary("log1p", tf.log1p, between(-0.6, 3, 6)),
  flat(unary("log1p near 0 and far", tf.log1p, exactly([1e-7, -1e-7, 1e-4, 0, 1e8, 3e38]))),
  unary("logSigmoid", tf.logSigmoid),
  unary("neg", tf.neg),
  unary("reciprocal", tf.reciprocal, between(0.4, 3, 6)),
  unary("relu", tf.relu, between(0.1, 2, 5)),
  flat(unary("relu of both signs", tf.relu, awkward)),
  unary("relu6", tf.relu6, between(0.1, 5, 5)),
  flat(unary("round to even", tf.round, awkward)),
  unary("rsqrt", tf.rsqrt, between(0.3, 3, 6)),
  unary("selu", tf.selu),
  unary("sigmoid", tf.sigmoid),
  flat(unary("sigmoid far out", tf.sigmoid, exactly([-100, -30, 30, 100]))),
  flat(unary("sign", tf.sign, awkward)),
  unary("sin", tf.sin),
  unary("sinh", tf.sinh),
  unary("softplus", tf.softplus),
  flat(unary("softplus far out", tf.softplus, exactly([-100, -20, 20, 100]))),
  unary("sqrt", tf.sqrt, between(0.3, 3, 6)),
  unary("square", tf.square),
  flat(unary("step", (x) => tf.step(x, 0.25), awkward)),
  unary("tan", tf.tan, between(-1.2, 1.2, 6)),
  unary("tanh", tf.tanh),
  unary("clipByValue", (x) => tf.clipByValue(x, -10, 0.25), exactly([-0.5, 0.1, 0.2, 0.4, 3])),
  flat(
    unary(
      "isNaN, isInf, isFinite",
      (x) => {
        const odd = tf.div(x, tf.concat([tf.zeros([3]), tf.ones([3])]));
        return tf.stack([tf.isNaN(odd), tf.isInf(odd), tf.isFinite(odd)].map((test) => tf.cast(test, "float32")));
      },
      exactly([0, 1, -1, 0, 1, -1]),
    ),
  ),
];

const away = (...shape: number[]) => between(0.5, 2, ...shape);
const fractions = exactly([5.5, -5.5, 5.5, -5.5, 6, -6]);
const divisors = exactly([2, 2, -2, -2, 3, 3]);
const wholes = exactlyWhole([7, -7, 7, -7, 6, 0]);
const wholeDivisors = exactlyWhole([2, 2, -2, -2, 3, 3]);

const binaries: KernelCase[] = [
  binary("add", tf.add),
  binary("add with a broadcast row", tf.add, float(2, 3), float(3)),
  binary("add with both broadcast", tf.add, float(2, 1, 3), float(4, 1)),
  binary("sub with a scalar", tf.sub, float(2, 3), float()),
  binary("mul with a broadcast column", tf.mul, float(2, 3), float(2, 1)),
  binary("div", tf.div, float(2, 3), away(2, 3)),
  flat(binary("floorDiv of floats", tf.floorDiv, fractions, divisors)),
  flat(binary("floorDiv of whole numbers", tf.floorDiv, wholes, wholeDivisors)),
  flat(binary("mod of floats", tf.mod, fractions, divisors)),
  flat(binary("mod of whole numbers", tf.mod, wholes, wholeDivisors)),
  binary("pow", tf.pow, away(2, 3), float(2, 3)),
  unary("pow by a constant", (x) => tf.pow(x, 3)),
  binary("maximum", tf.maximum, float(2, 3), away(2, 3)),
  binary("minimum", tf.minimum, float(2, 3), away(2, 3)),
  binary("squaredDifference", tf.squaredDifference),
  binary("atan2", tf.atan2, float(3, 4), float(3, 4)),
  flat(binary("atan2 on the axes", tf.atan2, exactly([0, 0, 1, -1, 0]), exactly([1, -1, 0, 0, 0]))),
  binary("prelu", (a, b) => tf.prelu(a, b), float(2, 3), away(3)),
  flat(
    binary(
      "whole number arithmetic",
      (a, b) => tf.add(tf.mul(a, b), tf.sub(a, tf.neg(tf.abs(b)))),
      wholes,
      wholeDivisors,
    ),
  ),
  ...(["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"] as const).map((name) =>
    flat(binary(name, (a, b) => asFloat(tf[name](a, b)), exactly([1, 2, 3]), exactly([2, 2, 2]))),
  ),
  flat(
    binary(
      "logical and, or, not, xor",
      (a, b) => {
        const [p, q] = [tf.greater(a, 0), tf.greater(b, 0)];
        const parts = [tf.logicalAnd(p, q), tf.logicalOr(p, q), tf.logicalNot(p), tf.logicalXor(p, q), tf.equal(p, q)];
        return tf.stack(parts.map(asFloat));
      },
      exactly([1, 1, -1, -1]),
      exactly([1, -1, 1, -1]),
    ),
  ),
  binary("where", (a, b) => tf.where(tf.greater(a, 0), a, b)),
  flat(binary("where of bools", (a, b) => asFloat(tf.where(tf.greater(a, 0), tf.greater(b, 0), tf.less(b, 0))))),
  {
    name: "addN",
    given: { a: float(2, 2), b: float(2, 2), c: float(2, 2) },
    evaluate: ({ a, b, c }) => tf.addN([a, b, c]),
  },
  flat(unary("casts", (x) => tf.stack([asFloat(tf.cast(x, "int32")), asFloat(tf.cast(x, "bool"))]), awkward)),
  {
    name: "batchNorm",
    given: { x: float(2, 2, 2, 3), mean: float(3), variance: away(3), offset: float(3), scale: float(3) },
    evaluate: ({ x, mean, variance, offset, scale }) => tf.batchNorm(x, mean, variance, offset, scale, 1e-3),
  },
];

const reductions: KernelCase[] = [
  unary("sum of everything", (x) => tf.sum(x), cube),
  unary("sum over an inner axis", (x) => tf.sum(x, 1), cube),
  unary("sum over two axes, kept", (x) => tf.sum(x, [0, -1], true), cube),
  flat(unary("sum of bools", (x) => tf.sum(tf.greater(x, 0), 1), cube)),
  unary("mean", (x) => tf.mean(x, [1, 2]), cube),
  unary("mean kept", (x) => tf.mean(x, -1, true), cube),
  unary("max", (x) => tf.max(x, 1), distinct),
  unary("max of everything", (x) => tf.max(x), distinct),
  unary("min", (x) => tf.min(x, -1, true), distinct),
  unary("prod", (x) => tf.prod(x, 1), away(2, 3)),
  unary("logSumExp", (x) => tf.logSumExp(x, 1), cube),
  flat(
    unary(
      "all and any",
      (x) => tf.stack([tf.all(tf.greater(x, 0), 1), tf.any(tf.greater(x, 0), 1)].map(asFloat)),
      exactly([1, 1, 1, -1, -1, -1], [3, 2]),
    ),
  ),
  flat(unary("argMax and argMin", (x) => asFloat(tf.stack([tf.argMax(x, 1), tf.argMin(x, 1)])), distinct)),
  flat(unary("argMax takes the first of equals", (x) => asFloat(tf.argMax(x, 1)), exactly([2, 2, 1, 2], [1, 4]))),
  unary("cumsum", (x) => tf.cumsum(x, 1), cube),
  unary("cumsum exclusive and reverse", (x) => tf.cumsum(x, 2, true, true), cube),
  flat(unary("cumprod", (x) => tf.cumprod(x, 1), away(2, 5))),
  flat(unary("cumprod exclusive and reverse", (x) => tf.cumprod(x, 0, true, true), away(3, 2))),
  unary("softmax", (x) => tf.softmax(x), float(2, 3, 5)),
  flat(unary("softmax of large numbers", (x) => tf.softmax(x), exactly([1000, 1001, -1000], [1, 3]))),
  unary("logSoftmax", (x) => tf.logSoftmax(x), float(3, 5)),
  unary("norm", (x) => tf.norm(x, 2, 1), away(2, 3)),
  unary("moments", (x) => tf.add(tf.moments(x, 1).mean, tf.moments(x, 1).variance), cube),
];

export const elementCases: readonly KernelCase[] = [...unaries, ...binaries, ...reductions];
