/**
 * @file The encoding of openpi's websocket protocol (openpi_client/msgpack_numpy.py): msgpack maps, where an array is a map
 * whose keys are msgpack BINARY, not text: `{b"__ndarray__": true, b"data": bytes, b"dtype": str, b"shape": [ints]}`. With
 * text keys a Python peer silently gets a plain dict instead of an array.
 */
import { Packr } from "msgpackr";
import { FormatError } from "#core/errors.ts";
import { bytesOf, type NumpyArray, numpyFromBytes } from "./numpy.ts";

export type Packable =
  | null
  | boolean
  | number
  | string
  | NumpyArray
  | readonly Packable[]
  | { readonly [key: string]: Packable };

const packr = new Packr({ mapsAsObjects: false, useRecords: false, variableMapSize: true });
const keys = Object.fromEntries(
  ["__ndarray__", "__npgeneric__", "data", "dtype", "shape"].map((name) => [name, Buffer.from(name)]),
) as Record<"__ndarray__" | "__npgeneric__" | "data" | "dtype" | "shape", Buffer>;
const deepest = 32;

const isArray = (value: object): value is NumpyArray =>
  "dtype" in value && "shape" in value && "data" in value && ArrayBuffer.isView(value.data);

function prepare(value: Packable): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(prepare);
  if (isArray(value)) {
    return new Map<Buffer, unknown>([
      [keys.__ndarray__, true],
      [keys.data, Buffer.from(bytesOf(value))],
      [keys.dtype, value.dtype],
      [keys.shape, value.shape],
    ]);
  }
  return new Map(
    Object.entries(value as { readonly [key: string]: Packable }).map(([key, each]) => [key, prepare(each)]),
  );
}

/** Encodes as Python's `msgpack_numpy.packb` does, byte for byte. */
export const packNumpy = (value: Packable): Uint8Array => packr.pack(prepare(value));

/**
 * Inverse of `packNumpy`. NumPy scalars become numbers; maps become objects.
 *
 * @throws FormatError on anything that is not whole msgpack, or an array that contradicts itself
 */
export function unpackNumpy(bytes: Uint8Array): Packable {
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (cause) {
    throw new FormatError("msgpack message", `is broken: ${(cause as Error).message}.`, { cause });
  }
  return restore(value, 0);
}

function restore(value: unknown, depth: number): Packable {
  if (depth > deepest) throw new FormatError("msgpack message", `is nested deeper than ${deepest}.`);
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string")
    return value;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map((each) => restore(each, depth + 1));
  if (value instanceof Map) return restoreMap(value, depth);
  throw new FormatError("msgpack message", `holds a ${(value as object | undefined)?.constructor?.name ?? "hole"}.`);
}

function restoreMap(map: Map<unknown, unknown>, depth: number): Packable {
  const fields: Record<string, unknown> = Object.create(null);
  for (const [key, value] of map) {
    const isText = typeof key === "string" || key instanceof Uint8Array;
    if (!isText) throw new FormatError("msgpack message", "has a key of no text.");
    fields[typeof key === "string" ? key : Buffer.from(key).toString()] = value;
  }
  if (fields.__ndarray__ === true) {
    if (!(fields.data instanceof Uint8Array)) throw new FormatError("numpy array", "has no bytes.");
    return numpyFromBytes(fields.dtype, fields.shape, fields.data);
  }
  if (fields.__npgeneric__ === true) return restore(fields.data, depth + 1);
  return Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, restore(each, depth + 1)]));
}
