import type { Rng } from "#core/rng.ts";
import { type HostArray, sizeOf } from "../tree.ts";

/** f32[shape] of normal numbers with mean 0 and the given standard deviation. */
export function normalArray(rng: Rng, shape: readonly number[], std: number): HostArray {
  const data = new Float32Array(sizeOf(shape));
  for (let index = 0; index < data.length; index++) data[index] = std * rng.normal();
  return { shape, dtype: "float32", data };
}
