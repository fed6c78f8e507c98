import type { Rng } from "#core/rng.ts";
import { type HostArray, sizeOf } from "../tree.ts";

/** f32[shape] of normal numbers with mean 0 and the given standard deviation. */
export function normalArray(rng: Rng, shape: readonly number[], std: number): HostArray {
  return { shape, dtype: "float32", data: Float32Array.from({ length: sizeOf(shape) }, () => std * rng.normal()) };
}
