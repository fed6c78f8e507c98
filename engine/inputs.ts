import { ShapeError } from "#core/errors.ts";
import { describeArray, sizeOf } from "./tree.ts";

/** What a compiled function takes per call. uint8 stays bytes on the wire and enters the graph as float32 in [0, 255]. */
export type InputSpec = { readonly shape: readonly number[]; readonly dtype: "float32" | "int32" | "uint8" };

type InputData = Float32Array | Int32Array | Uint8Array;

/** An array with its shape, bare numbers in row-major order, or a number for a scalar. */
export type HostInput =
  | { readonly shape: readonly number[]; readonly dtype: InputSpec["dtype"] | "bool"; readonly data: InputData }
  | InputData
  | number;

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

/** Checks a value against its specification and returns its numbers. */
export function readInput(subject: string, spec: InputSpec, value: HostInput | undefined): InputData {
  const wanted = describeArray(spec);
  if (value === undefined) throw new ShapeError(`${subject}: must be ${wanted}, got nothing.`);
  if (typeof value === "number") {
    if (sizeOf(spec.shape) !== 1) throw new ShapeError(`${subject}: must be ${wanted}, got the number ${value}.`);
    return arrays[spec.dtype].of(value);
  }
  const bare = ArrayBuffer.isView(value);
  const data = bare ? value : value.data;
  const shape = bare ? [data.length] : value.shape;
  const fits = bare || (shape.length === spec.shape.length && shape.every((size, axis) => size === spec.shape[axis]));
  if (!fits || !(data instanceof arrays[spec.dtype]) || data.length !== sizeOf(spec.shape)) {
    const dtype = Object.entries(arrays).find(([, type]) => data instanceof type)?.[0] ?? typeof data;
    const got = bare
      ? `${data.length} numbers of ${dtype}`
      : `${describeArray({ shape, dtype })} with ${data.length} numbers`;
    throw new ShapeError(`${subject}: must be ${wanted}, got ${got}.`);
  }
  return data;
}
