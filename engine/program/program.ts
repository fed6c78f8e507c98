/**
 * @file The engine's only intermediate form. A program is a list of nodes in execution order; each node is one primitive
 * with one result, refers to its operands by index and carries its static shape and dtype. Arrays are row-major; pictures
 * are NHWC, filters HWIO. Executors translate a program and never look at the function it came from.
 */

export type DType = "float32" | "int32" | "bool";
export type TypedArray = Float32Array | Int32Array | Uint8Array;

type None = Readonly<Record<string, never>>;
type Pair = readonly [number, number];
export type Axes = { readonly axes: readonly number[]; readonly keepDims: boolean };
/** `pads` are [top, bottom, left, right] in pixels. */
export type Window = {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly pads: readonly [number, number, number, number];
};
export type Convolution = Window & { readonly groups: number };
export type Pool = Window & { readonly size: Pair };

export const unaryOps = [
  "neg",
  "abs",
  "sign",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "reciprocal",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "asinh",
  "acosh",
  "atanh",
  "tanh",
  "sigmoid",
  "erf",
  "softplus",
  "relu",
  "floor",
  "ceil",
  "round",
] as const;
export const testOps = ["isNan", "isInf", "not"] as const;
export const binaryOps = ["add", "sub", "mul", "div", "floorDiv", "mod", "pow", "maximum", "minimum"] as const;
export const compareOps = ["equal", "less", "lessEqual", "greater", "greaterEqual", "and", "or"] as const;
export const reduceOps = ["sum", "mean", "max", "min", "prod"] as const;

type Simple =
  | (typeof unaryOps)[number]
  | (typeof testOps)[number]
  | (typeof binaryOps)[number]
  | (typeof compareOps)[number];

/** Every primitive with its attributes. Operand order is given where it is not obvious. */
export type Attributes = { readonly [K in Simple]: None } & { readonly [K in (typeof reduceOps)[number]]: Axes } & {
  /** `storage` is how the caller passes it; uint8 enters the program as float32 in [0, 255]. */
  readonly input: { readonly name: string; readonly storage: DType | "uint8" };
  readonly constant: { readonly values: TypedArray };
  /** condition, where true, where false; all broadcast. */
  readonly select: None;
  /** Float to int truncates; to bool tests for non-zero. */
  readonly cast: None;
  /** value, others: the value, not before the others are there; no optimiser may look through it. */
  readonly barrier: None;
  /** The mean of a vector over all workers that run this program together; where it runs alone, the vector itself. */
  readonly allMean: None;
  readonly reshape: None;
  readonly broadcast: None;
  readonly transpose: { readonly permutation: readonly number[] };
  /** `begin + i * stride` for i in [0, shape); negative strides walk backwards. */
  readonly slice: { readonly begin: readonly number[]; readonly strides: readonly number[] };
  readonly pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };
  readonly concat: { readonly axis: number };
  readonly tile: { readonly repeats: readonly number[] };
  readonly argMax: { readonly axis: number };
  readonly argMin: { readonly axis: number };
  /** Over the last axis. */
  readonly softmax: None;
  /** [..., M, K] x [..., K, N] after the optional transposes; leading axes broadcast. */
  readonly matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** picture, filter */
  readonly conv2d: Convolution;
  /** gradient of the result, filter; the gradients are those of convolutions without dilation */
  readonly conv2dInputGradient: Convolution;
  /** picture, gradient of the result */
  readonly conv2dFilterGradient: Convolution;
  readonly maxPool: Pool;
  /** gradient of the result, picture: each gradient goes to the first largest pixel of its window. */
  readonly maxPoolGradient: Pool;
  /** Padding does not count. */
  readonly avgPool: Pool;
  /** Sum of each window, scattered back: the transpose of sum pooling. */
  readonly sumPoolGradient: Pool;
  /** values, indices int32 */
  readonly gather: { readonly axis: number };
  /** values, indices int32[..., R] */
  readonly gatherNd: None;
  /** indices int32[..., R], updates: added into zeros, duplicates sum. */
  readonly scatterNd: None;
  readonly cumsum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  /** The largest along the last axis, in falling order; ties go to the lower index. */
  readonly topKValues: None;
  readonly topKIndices: None;
};

export type Op = keyof Attributes;

export type Node<O extends Op = Op> = {
  readonly [K in O]: {
    readonly op: K;
    readonly operands: readonly number[];
    readonly attributes: Attributes[K];
    readonly shape: readonly number[];
    readonly dtype: DType;
  };
}[O];

export type Program = {
  readonly name: string;
  readonly nodes: readonly Node[];
  /** In the order of the function's results; `node` is an index into `nodes`. */
  readonly outputs: readonly { readonly name: string; readonly node: number }[];
};

function printAttribute(value: unknown): string {
  if (ArrayBuffer.isView(value)) {
    const items = Array.from((value as Float32Array).subarray(0, 4), (item) => String(+item.toPrecision(4)));
    return `{${items.join(" ")}${(value as Float32Array).length > 4 ? " ..." : ""}}`;
  }
  return Array.isArray(value) ? `[${value.join(" ")}]` : String(value);
}

/** One line per node: `%12 = matmul %3 %11 transposeB=true : float32[64, 32]`. */
export function printProgram(program: Program): string {
  const lines = program.nodes.map((node, index) => {
    const attributes = Object.entries(node.attributes).map(([key, value]) => ` ${key}=${printAttribute(value)}`);
    const operands = node.operands.map((operand) => ` %${operand}`).join("");
    return `%${index} = ${node.op}${operands}${attributes.join("")} : ${node.dtype}[${node.shape.join(", ")}]`;
  });
  const outputs = program.outputs.map((output) => `return ${output.name} = %${output.node}`);
  return [`program ${program.name}`, ...lines, ...outputs].join("\n");
}

/** Drops nodes that no output needs; inputs stay, so that a program's signature never depends on its body. */
export function removeDeadNodes(program: Program): Program {
  const alive = new Set(program.outputs.map((output) => output.node));
  for (let index = program.nodes.length - 1; index >= 0; index--) {
    if (alive.has(index)) for (const operand of program.nodes[index]!.operands) alive.add(operand);
  }
  const renamed = new Map<number, number>();
  const nodes: Node[] = [];
  program.nodes.forEach((node, index) => {
    if (!alive.has(index) && node.op !== "input") return;
    renamed.set(index, nodes.length);
    nodes.push({ ...node, operands: node.operands.map((operand) => renamed.get(operand)!) });
  });
  const outputs = program.outputs.map((output) => ({ ...output, node: renamed.get(output.node)! }));
  return { ...program, nodes, outputs };
}
