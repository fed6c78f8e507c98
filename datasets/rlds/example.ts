/**
 * @file `tf.train.Example`, the message in which TFDS stores an episode: a map from feature name to a list of bytes,
 * floats or integers (tensorflow/core/example/{example,feature}.proto).
 */
import { FormatError } from "#core/errors.ts";

export type ExampleValue = readonly Uint8Array[] | Float32Array | BigInt64Array;
export type Example = ReadonlyMap<string, ExampleValue>;

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #fail: (problem: string) => never;
  position = 0;

  constructor(bytes: Uint8Array, fail: (problem: string) => never) {
    this.#bytes = bytes;
    this.#fail = fail;
  }

  get done(): boolean {
    return this.position >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined) return this.#fail("a number is cut");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    return this.#fail("a number is longer than 10 bytes");
  }

  take(length: number): Uint8Array {
    if (!(length >= 0) || this.position + length > this.#bytes.length)
      return this.#fail("a field reaches beyond the message");
    this.position += length;
    return this.#bytes.subarray(this.position - length, this.position);
  }

  /** Next field: number, wire type, and its bytes (or value). */
  field(): { number: number; type: number; bytes: Uint8Array; value: bigint } {
    const tag = Number(this.varint());
    const [number, type] = [Math.floor(tag / 8), tag & 7];
    const none = new Uint8Array();
    if (type === wire.varint) return { number, type, bytes: none, value: this.varint() };
    if (type === wire.bytes) return { number, type, bytes: this.take(Number(this.varint())), value: 0n };
    if (type === wire.fixed32) return { number, type, bytes: this.take(4), value: 0n };
    if (type === wire.fixed64) return { number, type, bytes: this.take(8), value: 0n };
    return this.#fail(`wire type ${type}`);
  }
}

function floatsOf(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getFloat32(index * 4, true));
}

function parseFeature(bytes: Uint8Array, fail: (problem: string) => never): ExampleValue {
  const outer = new ProtoReader(bytes, fail);
  if (outer.done) return [];
  const { number: kind, bytes: list } = outer.field();
  const reader = new ProtoReader(list, fail);
  const parts: Uint8Array[] = [];
  const floats: Float32Array[] = [];
  const integers: bigint[] = [];
  while (!reader.done) {
    const { number, type, bytes: content, value } = reader.field();
    if (number !== 1) continue;
    if (kind === 1) parts.push(content);
    else if (kind === 2) floats.push(floatsOf(content));
    else if (type === wire.varint) integers.push(value);
    else {
      const packed = new ProtoReader(content, fail);
      while (!packed.done) integers.push(packed.varint());
    }
  }
  if (kind === 1) return parts;
  if (kind === 3) return BigInt64Array.from(integers);
  if (kind !== 2) return fail(`a feature of kind ${kind}`);
  const all = new Float32Array(floats.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of floats) {
    all.set(part, filled);
    filled += part.length;
  }
  return all;
}

/** @throws FormatError (with `path`) when the bytes are no Example */
export function parseExample(bytes: Uint8Array, path: string): Example {
  const fail = (problem: string): never => {
    throw new FormatError(
      path,
      `a record must be a tf.train.Example, but it has ${problem}. Is this an RLDS data set?`,
    );
  };
  const example = new Map<string, ExampleValue>();
  const root = new ProtoReader(bytes, fail);
  while (!root.done) {
    const { number, bytes: features } = root.field();
    if (number !== 1) continue;
    const map = new ProtoReader(features, fail);
    while (!map.done) {
      const { bytes: entry } = map.field();
      const pair = new ProtoReader(entry, fail);
      let key = "";
      let value: Uint8Array = new Uint8Array();
      while (!pair.done) {
        const field = pair.field();
        if (field.number === 1) key = Buffer.from(field.bytes).toString("utf8");
        else if (field.number === 2) value = field.bytes;
      }
      example.set(key, parseFeature(value, fail));
    }
  }
  return example;
}

function varintBytes(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

const delimited = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + wire.bytes, ...varintBytes(BigInt(content.length))]), content]);

function featureBytes(value: ExampleValue): Buffer {
  if (value instanceof Float32Array) {
    const packed = Buffer.alloc(value.length * 4);
    for (const [index, number] of value.entries()) packed.writeFloatLE(number, index * 4);
    return delimited(2, delimited(1, packed));
  }
  if (value instanceof BigInt64Array) {
    return delimited(3, delimited(1, Buffer.from(Array.from(value, varintBytes).flat())));
  }
  return delimited(1, Buffer.concat(value.map((part) => delimited(1, part))));
}

/** The inverse of `parseExample`; keys in sorted order, as TensorFlow's deterministic serialisation has them. */
export function encodeExample(example: Example): Buffer {
  const entries = [...example].sort(([left], [right]) => (left < right ? -1 : 1));
  const map = entries.map(([key, value]) =>
    delimited(1, Buffer.concat([delimited(1, Buffer.from(key)), delimited(2, featureBytes(value))])),
  );
  return delimited(1, Buffer.concat(map));
}
