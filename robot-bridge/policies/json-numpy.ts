/** @file json-numpy 2 (PyPI), the encoding of OpenVLA's REST server: `{"__numpy__": base64, "dtype", "shape"}`. */
import { FormatError } from "#core/errors.ts";
import { decodeBase64, encodeBase64 } from "../protocol/base64.ts";
import { bytesOf, type NumpyArray, numpyFromBytes } from "./numpy.ts";

export const encodeJsonNumpy = (array: NumpyArray) => ({
  __numpy__: encodeBase64(bytesOf(array)),
  dtype: array.dtype,
  shape: array.shape,
});

/** @throws FormatError when it is no array of plain numbers, or contradicts itself */
export function decodeJsonNumpy(value: unknown): NumpyArray {
  if (typeof value !== "object" || value === null || !("__numpy__" in value)) {
    throw new FormatError("json-numpy array", `must be {"__numpy__", "dtype", "shape"}.`);
  }
  const { __numpy__: text, dtype, shape } = value as { __numpy__: unknown; dtype?: unknown; shape?: unknown };
  if (typeof text !== "string") throw new FormatError("json-numpy array", "__numpy__ must be base64 text.");
  return numpyFromBytes(dtype, shape, decodeBase64(text));
}
