/** @file How each primitive is written in StableHLO. */
import type { Axes, Op } from "../../program/program.ts";
import type { Combiner, Direction, Element, Hlo, HloBuilder } from "./hlo-builder.ts";
import { typeOf, typeText } from "./hlo-builder.ts";
import { convolutionEmitters } from "./hlo-convolutions.ts";
import { elementOf, factor, type HloEmitter } from "./hlo-emitter.ts";

type Emitters = { readonly [O in Exclude<Op, "input" | "constant">]: HloEmitter<O> };

const unary =
  <O extends Op>(op: string): HloEmitter<O> =>
  ({ hlo }, _, [x]) =>
    hlo.map(op, x!);

const chlo =
  <O extends Op>(op: string): HloEmitter<O> =>
  ({ hlo }, _, [x]) =>
    hlo.chlo(op, x!);

const binary =
  <O extends Op>(op: string): HloEmitter<O> =>
  ({ hlo }, { shape }, [a, b]) =>
    hlo.map(op, hlo.broadcast(a!, shape), hlo.broadcast(b!, shape));

const comparing =
  <O extends Op>(direction: Direction): HloEmitter<O> =>
  ({ hlo }, { shape }, [a, b]) =>
    hlo.compare(direction, hlo.broadcast(a!, shape), hlo.broadcast(b!, shape));

const zeros = (hlo: HloBuilder, { shape, element }: Hlo) => hlo.fill(0, shape, element);

/** What a reduction starts from. */
function startOf(combiner: Combiner, element: Element): number {
  if (combiner === "add") return 0;
  if (combiner === "multiply") return 1;
  const sign = combiner === "maximum" ? -1 : 1;
  return element === "i32" ? (sign < 0 ? -(2 ** 31) : 2 ** 31 - 1) : sign * Infinity;
}

const reduceOver = (hlo: HloBuilder, combiner: Combiner, x: Hlo, axes: readonly number[]): Hlo =>
  hlo.reduce(combiner, x, hlo.scalar(startOf(combiner, x.element), x.element), axes);

const reducing =
  <O extends "sum" | "max" | "min" | "prod">(combiner: Combiner): HloEmitter<O> =>
  ({ hlo }, node, [x]) =>
    hlo.reshape(reduceOver(hlo, combiner, x!, (node.attributes as Axes).axes), node.shape);

const mean: HloEmitter<"mean"> = ({ hlo }, { attributes, shape }, [x]) => {
  const total = reduceOver(hlo, "add", x!, attributes.axes);
  const count = attributes.axes.reduce((product, axis) => product * x!.shape[axis]!, 1);
  return hlo.reshape(hlo.map("divide", total, hlo.fill(count, total.shape, "f32")), shape);
};

/** The first place that holds the extreme. */
const locating =
  <O extends "argMax" | "argMin">(combiner: "maximum" | "minimum"): HloEmitter<O> =>
  ({ hlo }, node, [x]) => {
    const { axis } = node.attributes as { axis: number };
    const size = x!.shape[axis]!;
    const others = x!.shape.map((_, index) => index).filter((index) => index !== axis);
    const extreme = hlo.broadcastInto(reduceOver(hlo, combiner, x!, [axis]), x!.shape, others);
    const places = hlo.select(
      hlo.compare("EQ", x!, extreme),
      hlo.iota(x!.shape, axis),
      hlo.fill(size - 1, x!.shape, "i32"),
    );
    return reduceOver(hlo, "minimum", places, [axis]);
  };

/** Both remainders and quotients are rounded towards minus infinity: one less than truncated where signs differ. */
function wraps(hlo: HloBuilder, rest: Hlo, divisor: Hlo): Hlo {
  const negative = (x: Hlo) => hlo.compare("LT", x, zeros(hlo, x));
  const differs = hlo.map("xor", negative(rest), negative(divisor));
  return hlo.map("and", differs, hlo.compare("NE", rest, zeros(hlo, rest)));
}

const floorDiv: HloEmitter<"floorDiv"> = ({ hlo }, { shape, dtype }, [left, right]) => {
  const [a, b] = [hlo.broadcast(left!, shape), hlo.broadcast(right!, shape)];
  const quotient = hlo.map("divide", a, b);
  if (dtype === "float32") return hlo.map("floor", quotient);
  const lower = hlo.map("subtract", quotient, hlo.fill(1, shape, "i32"));
  return hlo.select(wraps(hlo, hlo.map("remainder", a, b), b), lower, quotient);
};

const mod: HloEmitter<"mod"> = ({ hlo }, { shape }, [left, right]) => {
  const b = hlo.broadcast(right!, shape);
  const rest = hlo.map("remainder", hlo.broadcast(left!, shape), b);
  return hlo.select(wraps(hlo, rest, b), hlo.map("add", rest, b), rest);
};

const softplus: HloEmitter<"softplus"> = ({ hlo }, _, [x]) => {
  const tail = hlo.map("log_plus_one", hlo.map("exponential", hlo.map("negate", hlo.map("abs", x!))));
  return hlo.map("add", hlo.map("maximum", x!, zeros(hlo, x!)), tail);
};

const softmax: HloEmitter<"softmax"> = ({ hlo }, { shape }, [x]) => {
  const last = shape.length - 1;
  const spread = (row: Hlo) =>
    hlo.broadcastInto(
      row,
      shape,
      row.shape.map((_, axis) => axis),
    );
  const shifted = hlo.map("subtract", x!, spread(reduceOver(hlo, "maximum", x!, [last])));
  const weights = hlo.map("exponential", shifted);
  return hlo.map("divide", weights, spread(reduceOver(hlo, "add", weights, [last])));
};

const cast: HloEmitter<"cast"> = ({ hlo }, { dtype }, [x]) =>
  dtype === "bool" ? hlo.compare("NE", x!, zeros(hlo, x!)) : hlo.convert(x!, elementOf[dtype]);

const matmul: HloEmitter<"matmul"> = (writer, { attributes, shape, dtype }, [left, right]) => {
  const { hlo } = writer;
  const batch = shape.slice(0, -2);
  const rank = batch.length;
  const spread = (x: Hlo) => factor(writer, hlo.broadcast(x, [...batch, ...x.shape.slice(-2)]));
  const [a, b] = [spread(left!), spread(right!)];
  const axes = batch.map((_, axis) => axis);
  const batching = rank === 0 ? "" : `batching_dims = [${axes}] x [${axes}], `;
  const [over, by] = [attributes.transposeA ? rank : rank + 1, attributes.transposeB ? rank + 1 : rank];
  const text = `stablehlo.dot_general ${a.name}, ${b.name}, ${batching}contracting_dims = [${over}] x [${by}]`;
  const types = `(${typeOf(a)}, ${typeOf(b)}) -> ${typeText(shape, elementOf[dtype])}`;
  return hlo.emit(`${text}, precision = [DEFAULT, DEFAULT] : ${types}`, shape, elementOf[dtype]);
};

/** Axes that are walked backwards are turned round first. */
const slice: HloEmitter<"slice"> = ({ hlo }, { attributes, shape }, [x]) => {
  const { begin, strides } = attributes;
  const backwards = strides.flatMap((stride, axis) => (stride < 0 ? [axis] : []));
  const source = backwards.length === 0 ? x! : hlo.reverse(x!, backwards);
  const ranges = shape.map((size, axis) => {
    const stride = Math.abs(strides[axis]!);
    const start = strides[axis]! < 0 ? x!.shape[axis]! - 1 - begin[axis]! : begin[axis]!;
    const end = size === 0 ? start : start + (size - 1) * stride + 1;
    return stride === 1 ? `${start}:${end}` : `${start}:${end}:${stride}`;
  });
  const types = `(${typeOf(source)}) -> ${typeText(shape, x!.element)}`;
  return hlo.emit(`stablehlo.slice ${source.name} [${ranges.join(", ")}] : ${types}`, shape, x!.element);
};

const pad: HloEmitter<"pad"> = ({ hlo }, { attributes, shape }, [x]) => {
  const value = hlo.scalar(attributes.value, x!.element);
  const { before, after } = attributes;
  const widths = `low = [${before}], high = [${after}], interior = [${before.map(() => 0)}]`;
  const types = `(${typeOf(x!)}, ${typeOf(value)}) -> ${typeText(shape, x!.element)}`;
  return hlo.emit(`stablehlo.pad ${x!.name}, ${value.name}, ${widths} : ${types}`, shape, x!.element);
};

const concat: HloEmitter<"concat"> = ({ hlo }, { attributes, shape }, operands) => {
  const { element } = operands[0]!;
  const names = operands.map(({ name }) => name).join(", ");
  const types = `(${operands.map(typeOf).join(", ")}) -> ${typeText(shape, element)}`;
  return hlo.emit(`stablehlo.concatenate ${names}, dim = ${attributes.axis} : ${types}`, shape, element);
};

const tile: HloEmitter<"tile"> = ({ hlo }, { attributes, shape }, [x]) => {
  const between = x!.shape.flatMap((size, axis) => [attributes.repeats[axis]!, size]);
  const axes = x!.shape.map((_, axis) => 2 * axis + 1);
  return hlo.reshape(hlo.broadcastInto(x!, between, axes), shape);
};

const barrier: HloEmitter<"barrier"> = ({ hlo }, _, operands) => {
  const names = operands.map(({ name }) => name).join(", ");
  const text = `stablehlo.optimization_barrier ${names} : ${operands.map(typeOf).join(", ")}`;
  return hlo.emitAll(
    text,
    operands.map(({ shape, element }) => [shape, element]),
  )[0]!;
};

const gather: HloEmitter<"gather"> = ({ hlo }, { attributes: { axis }, shape }, [values, indices]) => {
  const rank = indices!.shape.length;
  const offsets = shape.map((_, index) => index).filter((index) => index < axis || index >= axis + rank);
  const sizes = values!.shape.map((size, index) => (index === axis ? 1 : size));
  const numbers = `offset_dims = [${offsets}], collapsed_slice_dims = [${axis}], start_index_map = [${axis}], index_vector_dim = ${rank}`;
  return gatherWith(hlo, values!, indices!, numbers, sizes, shape);
};

const gatherNd: HloEmitter<"gatherNd"> = ({ hlo }, { shape }, [values, indices]) => {
  const depth = indices!.shape.at(-1)!;
  const rank = indices!.shape.length - 1;
  const axes = Array.from({ length: depth }, (_, axis) => axis);
  const offsets = shape.map((_, index) => index).filter((index) => index >= rank);
  const sizes = values!.shape.map((size, index) => (index < depth ? 1 : size));
  const numbers = `offset_dims = [${offsets}], collapsed_slice_dims = [${axes}], start_index_map = [${axes}], index_vector_dim = ${rank}`;
  return gatherWith(hlo, values!, indices!, numbers, sizes, shape);
};

function gatherWith(
  hlo: HloBuilder,
  values: Hlo,
  indices: Hlo,
  numbers: string,
  sizes: readonly number[],
  shape: readonly number[],
): Hlo {
  const attributes = `dimension_numbers = #stablehlo.gather<${numbers}>, indices_are_sorted = false, slice_sizes = array<i64: ${sizes.join(", ")}>`;
  const types = `(${typeOf(values)}, ${typeOf(indices)}) -> ${typeText(shape, values.element)}`;
  const text = `"stablehlo.gather"(${values.name}, ${indices.name}) <{${attributes}}>`;
  return hlo.emit(`${text} : ${types}`, shape, values.element);
}

const scatterNd: HloEmitter<"scatterNd"> = ({ hlo }, { shape }, [indices, updates]) => {
  const depth = indices!.shape.at(-1)!;
  const rank = indices!.shape.length - 1;
  const axes = Array.from({ length: depth }, (_, axis) => axis);
  const windows = updates!.shape.map((_, index) => index).filter((index) => index >= rank);
  const { element } = updates!;
  const into = hlo.fill(0, shape, element);
  const numbers = `update_window_dims = [${windows}], inserted_window_dims = [${axes}], scatter_dims_to_operand_dims = [${axes}], index_vector_dim = ${rank}`;
  const attributes = `indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<${numbers}>, unique_indices = false`;
  const text = `"stablehlo.scatter"(${into.name}, ${indices!.name}, ${updates!.name}) <{${attributes}}>`;
  const types = `(${typeOf(into)}, ${typeOf(indices!)}, ${typeOf(updates!)}) -> ${typeText(shape, element)}`;
  return hlo.emit(`${text} ${hlo.combine("add", element)} : ${types}`, shape, element);
};

/** A stable sort: ties go to the lower index. */
function topK(hlo: HloBuilder, x: Hlo, result: 0 | 1, shape: readonly number[]): Hlo {
  const last = x.shape.length - 1;
  const places = hlo.iota(x.shape, last);
  const [value, index] = [typeText([], x.element), typeText([], "i32")];
  const region =
    `({ ^bb0(%a: ${value}, %b: ${value}, %i: ${index}, %j: ${index}): ` +
    `%larger = stablehlo.compare GT, %a, %b, ${x.element === "f32" ? "FLOAT" : "SIGNED"} : (${value}, ${value}) -> tensor<i1> ` +
    "stablehlo.return %larger : tensor<i1> })";
  const types = `(${typeOf(x)}, ${typeOf(places)})`;
  const attributes = `<{dimension = ${last} : i64, is_stable = true}>`;
  const sorted = hlo.emitAll(
    `"stablehlo.sort"(${x.name}, ${places.name}) ${attributes} ${region} : ${types} -> ${types}`,
    [
      [x.shape, x.element],
      [x.shape, "i32"],
    ],
  )[result]!;
  const ranges = shape.map((size) => `0:${size}`).join(", ");
  const sliced = `(${typeOf(sorted)}) -> ${typeText(shape, sorted.element)}`;
  return hlo.emit(`stablehlo.slice ${sorted.name} [${ranges}] : ${sliced}`, shape, sorted.element);
}

export const hloEmitters: Emitters = {
  ...convolutionEmitters,
  abs: unary("abs"),
  acos: chlo("acos"),
  acosh: chlo("acosh"),
  add: binary("add"),
  allMean: (_, __, [x]) => x!,
  and: binary("and"),
  argMax: locating("maximum"),
  argMin: locating("minimum"),
  asin: chlo("asin"),
  asinh: chlo("asinh"),
  atan: chlo("atan"),
  atanh: chlo("atanh"),
  barrier,
  broadcast: ({ hlo }, { shape }, [x]) => hlo.broadcast(x!, shape),
  cast,
  ceil: unary("ceil"),
  concat,
  cos: unary("cosine"),
  cosh: chlo("cosh"),
  div: binary("divide"),
  equal: comparing("EQ"),
  erf: chlo("erf"),
  exp: unary("exponential"),
  expm1: unary("exponential_minus_one"),
  floor: unary("floor"),
  floorDiv,
  gather,
  gatherNd,
  greater: comparing("GT"),
  greaterEqual: comparing("GE"),
  isInf: ({ hlo }, { shape }, [x]) => hlo.compare("EQ", hlo.map("abs", x!), hlo.fill(Infinity, shape, "f32")),
  isNan: ({ hlo }, _, [x]) => hlo.compare("NE", x!, x!),
  less: comparing("LT"),
  lessEqual: comparing("LE"),
  log: unary("log"),
  log1p: unary("log_plus_one"),
  matmul,
  max: reducing("maximum"),
  maximum: binary("maximum"),
  mean,
  min: reducing("minimum"),
  minimum: binary("minimum"),
  mod,
  mul: binary("multiply"),
  neg: unary("negate"),
  not: unary("not"),
  or: binary("or"),
  pad,
  pow: binary("power"),
  prod: reducing("multiply"),
  reciprocal: ({ hlo }, { shape }, [x]) => hlo.map("divide", hlo.fill(1, shape, "f32"), x!),
  relu: ({ hlo }, _, [x]) => hlo.map("maximum", x!, zeros(hlo, x!)),
  reshape: ({ hlo }, { shape }, [x]) => hlo.reshape(x!, shape),
  round: unary("round_nearest_even"),
  scatterNd,
  select: ({ hlo }, { shape }, [condition, whenTrue, whenFalse]) =>
    hlo.select(hlo.broadcast(condition!, shape), hlo.broadcast(whenTrue!, shape), hlo.broadcast(whenFalse!, shape)),
  sigmoid: unary("logistic"),
  sign: unary("sign"),
  sin: unary("sine"),
  sinh: chlo("sinh"),
  slice,
  softmax,
  softplus,
  sqrt: unary("sqrt"),
  sub: binary("subtract"),
  sum: reducing("add"),
  tan: chlo("tan"),
  tanh: unary("tanh"),
  tile,
  topKIndices: ({ hlo }, { shape }, [x]) => topK(hlo, x!, 1, shape),
  topKValues: ({ hlo }, { shape }, [x]) => topK(hlo, x!, 0, shape),
  transpose: ({ hlo }, { attributes }, [x]) => hlo.transpose(x!, attributes.permutation),
};
