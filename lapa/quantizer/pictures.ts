/** @file What a person looks at: pairs beside the frame drawn from their hard codes, and what each code does. */
import type { Image } from "#core/contracts/image.ts";
import { createRng } from "#core/rng.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { Frames } from "./batches.ts";
import type { QuantizerRunner } from "./runner.ts";

export type Reconstruction = {
  readonly first: Image;
  readonly second: Image;
  readonly drawn: Image;
  readonly codes: readonly number[];
};

/** `drawn[r][c]`: row r's first frame moved by `codes[c]`. */
export type SwapGrid = {
  readonly first: readonly Image[];
  readonly codes: readonly (readonly number[])[];
  readonly drawn: readonly (readonly Image[])[];
};

const imageOf = (pixels: Uint8Array, index: number, size: number): Image => ({
  data: pixels.slice(index * size * size * 3, (index + 1) * size * size * 3),
  height: size,
  width: size,
});

/** Pairs drawn at random, the same for the same seed. */
function choosePairs(pairs: FramePairs, count: number, seed: string): number[] {
  const rng = createRng(seed);
  const order = rng.shuffle(Array.from({ length: pairs.length }, (_, index) => index));
  return order.slice(0, count);
}

const subset = (pairs: FramePairs, chosen: readonly number[]): FramePairs => {
  const pick = (values: Int32Array) => Int32Array.from(chosen, (pair) => values[pair]!);
  return { length: chosen.length, clip: pick(pairs.clip), first: pick(pairs.first), second: pick(pairs.second) };
};

function readFrames(frames: Frames, pairs: FramePairs, which: "first" | "second"): Uint8Array {
  const pixels = frames.size * frames.size * 3;
  const out = new Uint8Array(pairs.length * pixels);
  for (let pair = 0; pair < pairs.length; pair++) {
    frames.read(pairs.clip[pair]!, pairs[which][pair]!, out, pair * pixels);
  }
  return out;
}

export async function drawReconstructions(
  runner: QuantizerRunner,
  frames: Frames,
  pairs: FramePairs,
  count: number,
): Promise<Reconstruction[]> {
  const chosen = subset(pairs, choosePairs(pairs, count, "reconstructions"));
  const first = readFrames(frames, chosen, "first");
  const second = readFrames(frames, chosen, "second");
  const codes = await runner.encode(frames, chosen);
  const drawn = await runner.draw(first, codes);
  const width = codes.length / chosen.length;
  return Array.from({ length: chosen.length }, (_, pair) => ({
    first: imageOf(first, pair, frames.size),
    second: imageOf(second, pair, frames.size),
    drawn: imageOf(drawn, pair, frames.size),
    codes: [...codes.subarray(pair * width, (pair + 1) * width)],
  }));
}

/** The most frequent whole codes (all L positions together) of the pairs, at most `count`. */
function frequentCodes(codes: Int32Array, width: number, count: number): number[][] {
  const counts = new Map<string, number>();
  for (let at = 0; at < codes.length; at += width) {
    const key = codes.subarray(at, at + width).join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return ranked.slice(0, count).map(([key]) => key.split(" ").map(Number));
}

/** Applies the most frequent codes to the first frames of a few pairs. */
export async function drawSwapGrid(
  runner: QuantizerRunner,
  frames: Frames,
  pairs: FramePairs,
  size: { readonly rows: number; readonly columns: number },
): Promise<SwapGrid> {
  const chosen = subset(pairs, choosePairs(pairs, size.rows, "swap-grid"));
  const sample = subset(pairs, choosePairs(pairs, Math.min(pairs.length, 1024), "swap-codes"));
  const encoded = await runner.encode(frames, sample);
  const codes = frequentCodes(encoded, encoded.length / sample.length, size.columns);
  const first = readFrames(frames, chosen, "first");
  const pixels = frames.size * frames.size * 3;
  const repeated = new Uint8Array(chosen.length * codes.length * pixels);
  for (let cell = 0; cell < chosen.length * codes.length; cell++) {
    const row = Math.floor(cell / codes.length);
    repeated.set(first.subarray(row * pixels, (row + 1) * pixels), cell * pixels);
  }
  const every = Int32Array.from(Array.from({ length: chosen.length }, () => codes).flat(2));
  const drawn = await runner.draw(repeated, every);
  return {
    first: Array.from({ length: chosen.length }, (_, row) => imageOf(first, row, frames.size)),
    codes,
    drawn: Array.from({ length: chosen.length }, (_, row) =>
      codes.map((_, column) => imageOf(drawn, row * codes.length + column, frames.size)),
    ),
  };
}
