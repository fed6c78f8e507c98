/** @file Translates a program into an ONNX model. */
import type { Convolution, Node, Program } from "../../program/program.ts";
import type { HostArray } from "../../tree.ts";
import { emitConvolution } from "./convolution-emitters.ts";
import type { Emitter } from "./emitter.ts";
import { emitters } from "./emitters.ts";
import { createOnnxBuilder, type OnnxBuilder, type Operand } from "./onnx-builder.ts";
import { encodeOnnx, type OnnxNode, type OnnxValue, onnxTypes } from "./onnx-file.ts";

type BiasedProduct = { readonly product: number; readonly bias: number };

function countUses(program: Program): number[] {
  const uses = new Array<number>(program.nodes.length).fill(0);
  for (const node of program.nodes) for (const operand of node.operands) uses[operand]!++;
  for (const output of program.outputs) uses[output.node]!++;
  return uses;
}

/** Sums of a product or convolution (used nowhere else) and a vector over its last axis: one node in ONNX. */
function findBiases(program: Program): Map<number, BiasedProduct> {
  const uses = countUses(program);
  const isBiased = ({ product, bias }: BiasedProduct) => {
    const left = program.nodes[product]!;
    const right = program.nodes[bias]!;
    const takesBias = (left.op === "matmul" && left.shape.length === 2) || left.op === "conv2d";
    return takesBias && right.shape.length === 1 && right.shape[0] === left.shape.at(-1) && uses[product] === 1;
  };
  const found = new Map<number, BiasedProduct>();
  for (const [index, { op, operands }] of program.nodes.entries()) {
    if (op !== "add") continue;
    const [left, right] = operands as [number, number];
    const orders = [
      { product: left, bias: right },
      { product: right, bias: left },
    ];
    const biased = orders.find(isBiased);
    if (biased !== undefined) found.set(index, biased);
  }
  return found;
}

function emitWithBias(onnx: OnnxBuilder, node: Node, operands: readonly Operand[], bias: string): string {
  const [a, b] = operands.map((operand) => operand.name) as [string, string];
  if (node.op === "conv2d") return emitConvolution(onnx, node.attributes as Convolution, a, b, [bias]);
  const { transposeA, transposeB } = (node as Node<"matmul">).attributes;
  return onnx.emit("Gemm", [a, b, bias], { transA: transposeA, transB: transposeB });
}

/** Gives results the names of the program's outputs; one that is an input, or an output twice, is copied. */
function nameOutputs(onnx: OnnxBuilder, program: Program, names: readonly string[]): OnnxNode[] {
  const renamed = new Map<string, string>();
  const produced = new Set(onnx.nodes.flatMap((node) => node.outputs));
  const copies: OnnxNode[] = [];
  for (const { name, node } of program.outputs) {
    const source = names[node]!;
    if (produced.has(source) && !renamed.has(source)) renamed.set(source, name);
    else copies.push({ type: "Identity", inputs: [source], outputs: [name], attributes: {}, domain: "" });
  }
  const rename = (name: string) => renamed.get(name) ?? name;
  return [...onnx.nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
}

export type OnnxOptions = {
  /** Inputs that become part of the file. */
  readonly constants?: ReadonlyMap<string, HostArray>;
  /** Names in the file, by names of the program's inputs and outputs. */
  readonly names?: ReadonlyMap<string, string>;
  /** Texts that travel in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
};

/** @returns the bytes of an .onnx file */
export function toOnnx(
  given: Program,
  { constants = new Map(), names: publicNames = new Map(), metadata = {} }: OnnxOptions = {},
): Uint8Array {
  const nameOf = (name: string) => publicNames.get(name) ?? name;
  const program = { ...given, outputs: given.outputs.map((output) => ({ ...output, name: nameOf(output.name) })) };
  const onnx = createOnnxBuilder(onnxTypes);
  const uses = countUses(program);
  const biases = findBiases(program);
  const fused = new Set([...biases.values()].map(({ product }) => product));
  const inputs: OnnxValue[] = [];
  const names: string[] = [];
  const operand = (index: number): Operand => {
    const { shape, dtype } = program.nodes[index]!;
    return { name: names[index]!, shape, dtype };
  };

  const emit = (node: Node, index: number): string => {
    if (node.op === "input") {
      const { storage } = node.attributes;
      const held = constants.get(node.attributes.name);
      if (held !== undefined) return uses[index] === 0 ? "" : onnx.constant(held.data, node.shape, node.dtype);
      const name = nameOf(node.attributes.name);
      inputs.push({ name, type: storage, shape: node.shape });
      return storage === "uint8" ? onnx.cast(name, "float32") : name;
    }
    if (node.op === "constant") return onnx.constant(node.attributes.values, node.shape, node.dtype);
    const withBias = biases.get(index);
    if (withBias !== undefined) {
      const product = program.nodes[withBias.product]!;
      return emitWithBias(onnx, product, product.operands.map(operand), names[withBias.bias]!);
    }
    const emitter = emitters[node.op] as unknown as Emitter<typeof node.op>;
    return emitter(onnx, node as never, node.operands.map(operand));
  };
  program.nodes.forEach((node, index) => {
    names.push(fused.has(index) ? "" : emit(node, index));
  });

  const outputs = program.outputs.map(({ name, node }): OnnxValue => {
    const { dtype, shape } = program.nodes[node]!;
    return { name, type: dtype, shape };
  });
  const nodes = nameOutputs(onnx, program, names);
  return encodeOnnx({ name: program.name, nodes, constants: onnx.constants, inputs, outputs, metadata });
}
