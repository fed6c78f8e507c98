/** @file Writes the parts of an ONNX model (onnx.proto3, IR version 9) that programs need. */
import { bytes, type Field, float32, integer, message, text } from "../../protobuf.ts";

/** TensorProto.DataType */
export const onnxTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 } as const;
export type OnnxType = keyof typeof onnxTypes;

/** Integers, lists of integers and texts are written as such; a float must say so. */
export type OnnxAttribute = number | boolean | string | readonly number[] | { readonly float: number };

export type OnnxNode = {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  readonly domain: "" | "com.microsoft";
};

export type OnnxValue = { readonly name: string; readonly type: OnnxType; readonly shape: readonly number[] };
export type OnnxConstant = OnnxValue & { readonly raw: Uint8Array };

export type OnnxGraph = {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Texts that travel in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
};

function attribute(name: string, value: OnnxAttribute): Field[] {
  const kind = (type: number) => integer(20, type);
  if (typeof value === "boolean") return attribute(name, value ? 1 : 0);
  if (typeof value === "number") return [text(1, name), integer(3, value), kind(2)];
  if (typeof value === "string") return [text(1, name), text(4, value), kind(3)];
  if ("float" in value) return [text(1, name), float32(2, value.float), kind(1)];
  return [text(1, name), ...value.map((item) => integer(8, item)), kind(7)];
}

function node({ type, inputs, outputs, attributes, domain }: OnnxNode): Field[] {
  return [
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(4, type),
    ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
    ...(domain === "" ? [] : [text(7, domain)]),
  ];
}

const constant = ({ name, type, shape, raw }: OnnxConstant): Field[] => [
  ...shape.map((size) => integer(1, size)),
  integer(2, onnxTypes[type]),
  text(8, name),
  bytes(9, raw),
];

function valueInfo({ name, type, shape }: OnnxValue): Field[] {
  const dimensions = shape.map((size) => message(1, [integer(1, size)]));
  return [text(1, name), message(2, [message(1, [integer(1, onnxTypes[type]), message(2, dimensions)])])];
}

const irVersion = 9;
const opset = 18;

export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const body = [
    ...graph.nodes.map((item) => message(1, node(item))),
    text(2, graph.name),
    ...graph.constants.map((item) => message(5, constant(item))),
    ...graph.inputs.map((item) => message(11, valueInfo(item))),
    ...graph.outputs.map((item) => message(12, valueInfo(item))),
  ];
  const operatorSet = (domain: string, version: number) => message(8, [text(1, domain), integer(2, version)]);
  return Buffer.concat([
    integer(1, irVersion),
    text(2, "armature"),
    message(7, body),
    operatorSet("", opset),
    operatorSet("com.microsoft", 1),
    ...Object.entries(graph.metadata ?? {}).map(([key, value]) => message(14, [text(1, key), text(2, value)])),
  ]);
}
