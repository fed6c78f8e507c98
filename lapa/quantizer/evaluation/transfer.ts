/** @file Does a code carry over to another picture, and does it fail where there is no action to name? */
import { createRng } from "#core/rng.ts";
import { filterPairs } from "#datasets/frame-pairs.ts";
import { drawPartners, framesOfPictures, readFrames } from "./altered-frames.ts";
import { clipBootstrap, type Estimate } from "./clip-bootstrap.ts";
import type { InverseModel } from "./inverse-model.ts";
import type { KnownMotion, Subject } from "./subject.ts";

/** Pairs that are drawn at most. */
const most = 1000;

export type SwapTransfer = {
  /** Mean cosine between clip A's true motion and what is seen in clip B's picture, drawn with A's code. */
  readonly swapped: Estimate;
  /** The same in A's own picture, and in B's with a code that fits neither. */
  readonly own: Estimate;
  readonly random: Estimate;
};

/** Cosine of each pair of rows, f64[N]; 0 where one does not move. */
export function cosines(a: ArrayLike<number>, b: ArrayLike<number>, width: number): Float64Array {
  return Float64Array.from({ length: a.length / width }, (_, row) => {
    let [dot, aa, bb] = [0, 0, 0];
    for (let at = row * width; at < (row + 1) * width; at++) {
      dot += a[at]! * b[at]!;
      aa += a[at]! ** 2;
      bb += b[at]! ** 2;
    }
    return aa * bb > 0 ? dot / Math.sqrt(aa * bb) : 0;
  });
}

const rowsOf = <T extends Float32Array | Int32Array | Uint8Array>(
  values: T,
  width: number,
  chosen: ArrayLike<number>,
) => {
  const out = new (values.constructor as new (length: number) => T)(chosen.length * width);
  for (let row = 0; row < chosen.length; row++) {
    out.set(values.subarray(chosen[row]! * width, (chosen[row]! + 1) * width), row * width);
  }
  return out;
};

/** Held-out pairs whose true motion is above the median: a direction can be told. */
function clearPairs({ heldOut }: Subject, { heldOut: values, width }: KnownMotion): number[] {
  const size = Array.from({ length: heldOut.length }, (_, pair) =>
    Math.hypot(...values.subarray(pair * width, (pair + 1) * width)),
  );
  const middle = [...size].sort((a, b) => a - b)[size.length >> 1]!;
  const clear = [...size.keys()].filter((pair) => size[pair]! >= middle);
  const stride = Math.max(1, Math.ceil(clear.length / most));
  return clear.filter((_, index) => index % stride === 0);
}

/** Applies the code of clip A to clip B's first frame and lets the inverse model say what moved. */
export async function swapTransfer(subject: Subject, motion: KnownMotion, judge: InverseModel): Promise<SwapTransfer> {
  const { quantizer, runner, frames, heldOut, codes } = subject;
  const { codesPerStep } = quantizer.config.model;
  const chosen = clearPairs(subject, motion);
  const kept = new Set(chosen);
  const pairs = filterPairs(heldOut, (pair) => kept.has(pair));
  const own = rowsOf(codes.heldOut, codesPerStep, chosen);
  const wanted = rowsOf(motion.heldOut, motion.width, chosen);
  const first = readFrames(frames, pairs, "first");
  const rng = createRng("swap-transfer");
  const other = rowsOf(first, frames.size ** 2 * 3, drawPartners(pairs, rng));
  const foreign = rowsOf(own, codesPerStep, drawPartners(pairs, rng));
  const seen = async (start: Uint8Array, by: Int32Array) => {
    const drawn = framesOfPictures(frames.size, start, await runner.draw(start, by));
    const values = cosines(await judge.predict(drawn.frames, drawn.pairs), wanted, motion.width);
    const ones = new Float64Array(pairs.length).fill(1);
    return clipBootstrap(pairs.clip, [values, ones], ([sum, count]) => sum! / count!);
  };
  return { swapped: await seen(other, own), own: await seen(first, own), random: await seen(other, foreign) };
}

export type SceneCuts = { readonly psnrSmooth: number; readonly psnrCut: number };

/** PSNR in dB of second frames drawn from hard codes, of filmed pairs and of pairs joined from two clips. */
export async function sceneCuts({ runner, frames, heldOut, codes }: Subject): Promise<SceneCuts> {
  const stride = Math.max(1, Math.ceil(heldOut.length / most));
  const pairs = filterPairs(heldOut, (pair) => pair % stride === 0);
  const first = readFrames(frames, pairs, "first");
  const second = readFrames(frames, pairs, "second");
  const foreign = rowsOf(second, frames.size ** 2 * 3, drawPartners(pairs, createRng("scene-cuts")));
  const psnr = async (last: Uint8Array) => {
    const joined = framesOfPictures(frames.size, first, last);
    const others = new Int32Array((codes.heldOut.length / heldOut.length) * pairs.length);
    const { errors } = await runner.measure(joined.frames, joined.pairs, others);
    const sum = errors.hard.reduce((total, value) => total + value, 0);
    return 10 * Math.log10((4 * pairs.length * frames.size ** 2) / sum);
  };
  return { psnrSmooth: await psnr(second), psnrCut: await psnr(foreign) };
}
