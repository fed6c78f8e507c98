/** @file Writes the parts of TensorFlow's GraphDef and ConfigProto that the executor needs (tensorflow/core/framework). */
import { boolean, bytes, type Field, float32, integer, message, text } from "../../protobuf.ts";

/** TF_DataType */
export const tfTypes = { float32: 1, int32: 3, uint8: 4, bool: 10, resource: 20 } as const;
type TfType = keyof typeof tfTypes;

/** The kinds of AttrValue; texts are types, so a string says that it is one. */
type TfAttribute =
  | TfType
  | number
  | boolean
  | { readonly string: string | Uint8Array }
  | { readonly float: number }
  | { readonly shape: readonly number[] }
  | { readonly function: string }
  | { readonly types: readonly TfType[] }
  | { readonly shapes: readonly (readonly number[])[] }
  | { readonly strings: readonly string[] }
  | { readonly integers: readonly number[] };

export type TfNode = {
  readonly name: string;
  readonly op: string;
  /** `node`, `node:index`, or `^node` for one that must only come before; in functions `node:result:index`. */
  readonly inputs?: readonly string[];
  readonly device?: string;
  readonly attributes?: Readonly<Record<string, TfAttribute>>;
};

type Argument = { readonly name: string; readonly type: TfType };

export type TfFunction = {
  readonly name: string;
  readonly inputs: readonly Argument[];
  readonly outputs: readonly Argument[];
  readonly nodes: readonly TfNode[];
  /** Output name to the value in the body. */
  readonly returns: Readonly<Record<string, string>>;
  /** Nodes that run although no output needs them. */
  readonly effects: readonly string[];
  readonly attributes?: Readonly<Record<string, TfAttribute>>;
};

const shapeFields = (shape: readonly number[]): Field[] => shape.map((size) => message(2, [integer(1, size)]));

function attributeFields(value: TfAttribute): Field[] {
  if (typeof value === "string") return [integer(6, tfTypes[value])];
  if (typeof value === "number") return [integer(3, value)];
  if (typeof value === "boolean") return [boolean(5, value)];
  if ("string" in value) return [bytes(2, Buffer.from(value.string as string))];
  if ("float" in value) return [float32(4, value.float)];
  if ("shape" in value) return [message(7, shapeFields(value.shape))];
  if ("function" in value) return [message(10, [text(1, value.function)])];
  if ("types" in value)
    return [
      message(
        1,
        value.types.map((type) => integer(6, tfTypes[type])),
      ),
    ];
  if ("shapes" in value)
    return [
      message(
        1,
        value.shapes.map((shape) => message(7, shapeFields(shape))),
      ),
    ];
  if ("strings" in value)
    return [
      message(
        1,
        value.strings.map((item) => text(2, item)),
      ),
    ];
  return [
    message(
      1,
      value.integers.map((item) => integer(3, item)),
    ),
  ];
}

/** A map of attributes is a list of pairs. */
const attributeMap = (field: number, attributes: Readonly<Record<string, TfAttribute>> = {}): Field[] =>
  Object.entries(attributes).map(([key, value]) => message(field, [text(1, key), message(2, attributeFields(value))]));

const nodeFields = ({ name, op, inputs = [], device, attributes }: TfNode): Field[] => [
  text(1, name),
  text(2, op),
  ...inputs.map((input) => text(3, input)),
  ...(device === undefined ? [] : [text(4, device)]),
  ...attributeMap(5, attributes),
];

function functionFields(fn: TfFunction): Field[] {
  const argument = ({ name, type }: Argument) => [text(1, name), integer(3, tfTypes[type])];
  const signature = [
    text(1, fn.name),
    ...fn.inputs.map((input) => message(2, argument(input))),
    ...fn.outputs.map((output) => message(3, argument(output))),
    boolean(17, true), // it has effects
    ...fn.effects.map((effect) => text(20, effect)),
  ];
  return [
    message(1, signature),
    ...fn.nodes.map((node) => message(3, nodeFields(node))),
    ...Object.entries(fn.returns).map(([name, value]) => message(4, [text(1, name), text(2, value)])),
    ...attributeMap(5, fn.attributes),
    ...fn.effects.map((effect) => message(6, [text(1, effect), text(2, effect)])),
  ];
}

/** The graph version that this way of writing belongs to. */
const producer = 1087;
const oldestConsumer = 12;

export function encodeGraph(nodes: readonly TfNode[], functions: readonly TfFunction[]): Uint8Array {
  return Buffer.concat([
    ...nodes.map((node) => message(1, nodeFields(node))),
    message(
      2,
      functions.map((fn) => message(1, functionFields(fn))),
    ),
    message(4, [integer(1, producer), integer(2, oldestConsumer)]),
  ]);
}

/** ConfigProto of a session. @param leader the worker that numbers collectives, in a cluster */
export function encodeConfig(threads: number, leader?: string): Uint8Array {
  const growsWithUse = message(6, [boolean(4, true)]); // of GPU memory
  const softPlacement = boolean(7, true);
  const group = leader === undefined ? [] : [message(16, [text(1, leader)])];
  return Buffer.concat([integer(2, threads), growsWithUse, softPlacement, ...group]);
}

/** ServerDef of one worker. @param workers host:port of each */
export function encodeServer(workers: readonly string[], index: number, config: Uint8Array): Uint8Array {
  const tasks = workers.map((address, task) => message(2, [integer(1, task), text(2, address)]));
  const cluster = message(1, [message(1, [text(1, "worker"), ...tasks])]);
  return Buffer.concat([cluster, text(2, "worker"), integer(3, index), bytes(4, config), text(5, "grpc")]);
}
