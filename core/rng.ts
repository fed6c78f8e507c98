/**
 * @file Seeded random numbers: xoshiro128** (Blackman & Vigna 2018) seeded through splitmix32. Every stream is named,
 * so adding a draw in one place changes nothing elsewhere. No transcendental functions but in `normal`.
 */

export type Rng = {
  /** Uniform in [0, 1) with 32 random bits. */
  next(): number;
  uniform(low: number, high: number): number;
  /** Uniform integer in [0, count). */
  integer(count: number): number;
  /** Standard normal (Box-Muller, one value per call). */
  normal(): number;
  pick<T>(items: readonly T[]): T;
  /** Fisher-Yates, in place; returns its argument. */
  shuffle<T>(items: T[]): T[];
  /** Independent stream that depends only on this stream's seed and `label`, not on how much was drawn. */
  fork(label: string | number): Rng;
  /** u32[4] to save; `createRng(seed, state)` goes on from it. */
  state(): [number, number, number, number];
};

/** FNV-1a over UTF-16 code units, 32 bits. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function splitMix32(seed: number): () => number {
  let value = seed >>> 0;
  return () => {
    value = (value + 0x9e3779b9) >>> 0;
    let mixed = value;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

const rotateLeft = (value: number, bits: number) => ((value << bits) | (value >>> (32 - bits))) >>> 0;

/** Makes the stream of `seed`; with `state` it goes on where `state()` was taken. */
export function createRng(seed: number | string, state?: readonly [number, number, number, number]): Rng {
  const seed32 = typeof seed === "string" ? hash32(seed) : seed >>> 0;
  const start = splitMix32(seed32);
  let [a, b, c, d] = state ?? [start(), start(), start(), start()];

  const draw = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5) >>> 0, 7), 9) >>> 0;
    const shifted = (b << 9) >>> 0;
    c = (c ^ a) >>> 0;
    d = (d ^ b) >>> 0;
    b = (b ^ c) >>> 0;
    a = (a ^ d) >>> 0;
    c = (c ^ shifted) >>> 0;
    d = rotateLeft(d, 11);
    return result;
  };
  const next = () => draw() / 4294967296;
  const integer = (count: number) => Math.floor(next() * count);

  return {
    next,
    integer,
    uniform: (low, high) => low + (high - low) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[integer(items.length)]!,
    shuffle: (items) => {
      for (let index = items.length - 1; index > 0; index--) {
        const other = integer(index + 1);
        const kept = items[index]!;
        items[index] = items[other]!;
        items[other] = kept;
      }
      return items;
    },
    fork: (label) => createRng(hash32(`${seed32}/${label}`)),
    state: () => [a, b, c, d],
  };
}
