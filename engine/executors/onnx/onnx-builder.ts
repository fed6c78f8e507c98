import type { OnnxAttribute, OnnxConstant, OnnxNode, OnnxType } from "./onnx-file.ts";

/** An ONNX value by name, with what the program knows about it. */
export type Operand = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
};

type Options = { readonly domain?: "com.microsoft"; readonly results?: number };

/** Collects ONNX nodes and constants; equal ones are shared. */
export type OnnxBuilder = {
  readonly nodes: OnnxNode[];
  readonly constants: OnnxConstant[];
  emit(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    options?: Options,
  ): string;
  /** All results of a node with several. */
  emitAll(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>>,
    results: number,
  ): string[];
  constant(values: ArrayLike<number>, shape: readonly number[], type: OnnxType): string;
  /** A shape, a list of axes and the like. */
  integers(values: readonly number[]): string;
  cast(name: string, type: OnnxType): string;
};

function rawBytes(values: ArrayLike<number>, type: OnnxType): Uint8Array {
  const arrays = {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
  const typed =
    type === "int64" ? BigInt64Array.from(Array.from(values), (value) => BigInt(value)) : arrays[type].from(values);
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

export function createOnnxBuilder(castCodes: Readonly<Record<OnnxType, number>>): OnnxBuilder {
  const nodes: OnnxNode[] = [];
  const constants: OnnxConstant[] = [];
  const known = new Map<string, string[]>();
  let count = 0;

  const add = (key: string, results: number, push: (names: string[]) => void): string[] => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const names = Array.from({ length: results }, () => `t${count++}`);
    push(names);
    known.set(key, names);
    return names;
  };

  const builder: OnnxBuilder = {
    nodes,
    constants,
    emit(type, inputs, attributes = {}, { domain = "" as const, results = 1 } = {}) {
      const key = `${domain}.${type}(${inputs})${JSON.stringify(attributes)}`;
      return add(key, results, (outputs) => nodes.push({ type, inputs, outputs, attributes, domain }))[0]!;
    },
    emitAll(type, inputs, attributes, results) {
      const key = `.${type}(${inputs})${JSON.stringify(attributes)}`;
      return add(key, results, (outputs) => nodes.push({ type, inputs, outputs, attributes, domain: "" }));
    },
    constant(values, shape, type) {
      const raw = rawBytes(values, type);
      // Large constants were shared in the program already.
      const key = raw.length > 4096 ? `large ${count}` : `${type}[${shape}] ${Buffer.from(raw).toString("hex")}`;
      return add(key, 1, ([name]) => constants.push({ name: name!, type, shape, raw }))[0]!;
    },
    integers: (values) => builder.constant(values, [values.length], "int64"),
    cast: (name, type) => builder.emit("Cast", [name], { to: castCodes[type] }),
  };
  return builder;
}
