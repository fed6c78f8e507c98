/** @file NumPy arrays as the policy servers of the field send them: dtype string, shape, C-order little-endian bytes. */
import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";

export type NumpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** `dtype` is NumPy's `dtype.str`: "|u1", "<f4". Half floats are widened to f32 data. */
export type NumpyArray = { readonly dtype: string; readonly shape: readonly number[]; readonly data: NumpyData };

type Kind = { readonly bytes: number; readonly read: (buffer: ArrayBuffer) => NumpyData };

const kinds: Readonly<Record<string, Kind>> = {
  "|u1": { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  "|b1": { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  "|i1": { bytes: 1, read: (buffer) => new Int8Array(buffer) },
  "<u2": { bytes: 2, read: (buffer) => new Uint16Array(buffer) },
  "<i2": { bytes: 2, read: (buffer) => new Int16Array(buffer) },
  "<u4": { bytes: 4, read: (buffer) => new Uint32Array(buffer) },
  "<i4": { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  "<u8": { bytes: 8, read: (buffer) => new BigUint64Array(buffer) },
  "<i8": { bytes: 8, read: (buffer) => new BigInt64Array(buffer) },
  "<f2": { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToFloat) },
  "<f4": { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  "<f8": { bytes: 8, read: (buffer) => new Float64Array(buffer) },
};

/** IEEE 754 binary16. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const dtypeOf = (data: NumpyData): string => {
  const found = Object.entries(kinds).find(
    ([name, { read }]) => name !== "<f2" && name !== "|b1" && read(new ArrayBuffer(8)).constructor === data.constructor,
  );
  return found![0];
};

/** @param shape its product is the data's length */
export const numpyArray = (data: NumpyData, shape: readonly number[]): NumpyArray => ({
  dtype: dtypeOf(data),
  shape,
  data,
});

/** C-order bytes, not copied. */
export const bytesOf = ({ data }: NumpyArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** @throws FormatError when the dtype is not a plain number, or the bytes do not fill the shape */
export function numpyFromBytes(dtype: unknown, shape: unknown, bytes: Uint8Array): NumpyArray {
  const wrong = (problem: string) => new FormatError("numpy array", problem);
  const kind = typeof dtype === "string" && Object.hasOwn(kinds, dtype) ? kinds[dtype]! : undefined;
  if (!kind) throw wrong(`dtype must be one of ${Object.keys(kinds).join(" ")}, got ${JSON.stringify(dtype)}.`);
  const isShape =
    Array.isArray(shape) && shape.length <= 8 && shape.every((size) => Number.isInteger(size) && size >= 0);
  if (!isShape) throw wrong(`shape must be at most 8 whole numbers, got ${JSON.stringify(shape)?.slice(0, 80)}.`);
  const sizes = shape as number[];
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count * kind.bytes !== bytes.length) {
    throw wrong(`${dtype}[${sizes.join(", ")}] must have ${count * kind.bytes} bytes, got ${bytes.length}.`);
  }
  // A copy: views need aligned memory, and the message's buffer is used again.
  return { dtype: dtype as string, shape: sizes, data: kind.read(new Uint8Array(bytes).buffer) };
}

export const toFloat32 = ({ data }: NumpyArray): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from({ length: data.length }, (_, index) => Number(data[index]));

/**
 * A picture: u8[H, W, 3] or u8[3, H, W], with or without leading axes of size 1.
 *
 * @throws FormatError when it is none
 */
export function imageFromNumpy({ dtype, shape, data }: NumpyArray, name: string): Image {
  const sizes = [...shape];
  while (sizes.length > 3 && sizes[0] === 1) sizes.shift();
  const [a, b, c] = sizes;
  if (dtype !== "|u1" || sizes.length !== 3 || (a !== 3 && c !== 3)) {
    throw new FormatError(name, `must be a picture u8[H, W, 3] or u8[3, H, W], got ${dtype}[${shape.join(", ")}].`);
  }
  const pixels = data as Uint8Array;
  if (c === 3) return { data: pixels, height: a!, width: b! };
  const [height, width] = [b!, c!];
  const turned = new Uint8Array(pixels.length);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      turned[3 * pixel + channel] = pixels[channel * height * width + pixel]!;
    }
  }
  return { data: turned, height, width };
}

export const numpyFromImage = ({ data, height, width }: Image): NumpyArray => numpyArray(data, [height, width, 3]);
