/** @file The few pieces of the protobuf wire format that ONNX, TensorFlow and TensorBoard need. */

export type Field = Uint8Array;

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

const tag = (field: number, wireType: number) => varint((field << 3) | wireType);

export const integer = (field: number, value: number | bigint): Field => Buffer.concat([tag(field, 0), varint(value)]);

export const boolean = (field: number, value: boolean): Field => integer(field, value ? 1 : 0);

export function bytes(field: number, value: Uint8Array): Field {
  return Buffer.concat([tag(field, 2), varint(value.length), value]);
}

export const text = (field: number, value: string): Field => bytes(field, Buffer.from(value, "utf8"));

export const message = (field: number, fields: readonly Field[]): Field => bytes(field, Buffer.concat(fields));

export function float32(field: number, value: number): Field {
  const raw = Buffer.alloc(4);
  raw.writeFloatLE(value);
  return Buffer.concat([tag(field, 5), raw]);
}

export function float64(field: number, value: number): Field {
  const raw = Buffer.alloc(8);
  raw.writeDoubleLE(value);
  return Buffer.concat([tag(field, 1), raw]);
}
