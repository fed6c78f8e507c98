import { ShapeError } from "#core/errors.ts";
import type { tf } from "../tf.ts";
import { describeArray } from "../tree.ts";

/** Says what a layer takes when the last axis of `x` has another size. */
export function checkWidth(layer: string, x: tf.Tensor, width: number): void {
  if (x.shape.at(-1) === width) return;
  throw new ShapeError(`${layer}: takes a last axis of ${width}, got ${describeArray(x)}.`);
}
