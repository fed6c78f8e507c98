/** @file Rates per second of processor time, ours and theirs in turns. */
import type { Measured } from "./native.ts";

export type Row = Record<string, unknown> & { readonly what: string };

const rate = ({ count, processorSeconds }: Measured) => count / processorSeconds;
export const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Calls `once`, which does `batch` units of work, over and over for so long. */
export function measure(seconds: number, batch: number, once: (index: number) => void): Measured {
  for (let index = 0; index < 50; index++) once(index);
  const start = performance.now();
  const before = process.cpuUsage();
  let count = 0;
  for (; performance.now() - start < 1000 * seconds; count++) once(count);
  const { user, system } = process.cpuUsage(before);
  return { count: count * batch, seconds: (performance.now() - start) / 1000, processorSeconds: (user + system) / 1e6 };
}

/** Ours and theirs in turns. @returns medians of rates and of their ratio within a round */
export function alternate(rounds: number, ours: () => Measured, theirs: () => Measured | undefined) {
  const own: number[] = [];
  const native: number[] = [];
  for (let round = 0; round < rounds; round++) {
    own.push(rate(ours()));
    const other = theirs();
    if (other) native.push(rate(other));
  }
  const hasNative = native.length === rounds;
  return {
    ours: median(own),
    native: hasNative ? median(native) : undefined,
    ratio: hasNative ? median(own.map((value, round) => value / native[round]!)) : undefined,
  };
}
