import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { Executor } from "#engine/index.ts";
import type { Frames } from "../batches.ts";
import type { Truth } from "../evaluate.ts";
import type { Quantizer, QuantizerRunner } from "../runner.ts";

/** True motion of the pairs that probes are fitted on and of those kept out, in units of the former's deviation. */
export type KnownMotion = { readonly width: number; readonly train: Float32Array; readonly heldOut: Float32Array };

/** What is examined, on which pairs. */
export type Subject = {
  readonly quantizer: Quantizer;
  readonly runner: QuantizerRunner;
  readonly executor: Executor;
  readonly frames: Frames;
  readonly train: FramePairs;
  readonly heldOut: FramePairs;
  readonly motion?: KnownMotion;
  /** i32[N, L] of each. */
  readonly codes: { readonly train: Int32Array; readonly heldOut: Int32Array };
};

/** Both sets by mean and deviation of the first; a dimension that does not vary becomes 0. */
export function standardiseMotion(truth: Truth, train: FramePairs, heldOut: FramePairs): KnownMotion {
  const [fitted, kept] = [truth(train), truth(heldOut)];
  const { width } = fitted;
  const [first, second] = [new Float32Array(fitted.values.length), new Float32Array(kept.values.length)];
  for (let index = 0; index < width; index++) {
    let [mean, square] = [0, 0];
    for (let at = index; at < fitted.values.length; at += width) mean += fitted.values[at]! / train.length;
    for (let at = index; at < fitted.values.length; at += width) {
      square += (fitted.values[at]! - mean) ** 2 / train.length;
    }
    const scale = square > 1e-12 ? 1 / Math.sqrt(square) : 0;
    for (let at = index; at < first.length; at += width) first[at] = (fitted.values[at]! - mean) * scale;
    for (let at = index; at < second.length; at += width) second[at] = (kept.values[at]! - mean) * scale;
  }
  return { width, train: first, heldOut: second };
}
