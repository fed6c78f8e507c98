/** @file Which two frames of a clip show one step: chosen by time, never by counting, so that gaps cannot lie. */
import { UserError } from "#core/errors.ts";
import type { FrameCache } from "./frame-cache.ts";

/** Pair p joins frames `first[p]` and `second[p]` of clip `clip[p]`; sorted by clip, then by first frame. */
export type FramePairs = {
  readonly length: number;
  readonly clip: Int32Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
};

type Timed = { readonly timestampsS: Float64Array };

function medianInterval(timestampsS: Float64Array): number {
  const intervals = new Float64Array(Math.max(0, timestampsS.length - 1));
  for (let index = 0; index < intervals.length; index++)
    intervals[index] = timestampsS[index + 1]! - timestampsS[index]!;
  return intervals.length === 0 ? 0 : intervals.sort()[intervals.length >> 1]!;
}

/**
 * Pairs every frame with the one nearest to `offsetS` later. A pair is left out where that one is more than half a frame
 * interval (the clip's median) off the mark: at the end of a clip, and over frames that were dropped while recording.
 *
 * @param clips times of each clip's frames, seconds, increasing
 * @throws UserError when no clip has such a pair
 */
export function framePairs(clips: readonly Timed[], { offsetS }: { readonly offsetS: number }): FramePairs {
  if (!(offsetS > 0)) throw new UserError(`pairs: offset must be above 0 s, got ${offsetS} s.`);
  const [clip, first, second]: [number[], number[], number[]] = [[], [], []];
  clips.forEach(({ timestampsS }, index) => {
    const toleranceS = medianInterval(timestampsS) / 2 + 1e-6;
    let later = 0;
    for (let frame = 0; frame < timestampsS.length; frame++) {
      const wantedS = timestampsS[frame]! + offsetS;
      const distance = (candidate: number) => Math.abs(timestampsS[candidate]! - wantedS);
      while (later + 1 < timestampsS.length && distance(later + 1) <= distance(later)) later++;
      if (later <= frame || distance(later) > toleranceS) continue;
      clip.push(index);
      first.push(frame);
      second.push(later);
    }
  });
  if (clip.length === 0) throw noPair(clips, offsetS);
  return {
    length: clip.length,
    clip: Int32Array.from(clip),
    first: Int32Array.from(first),
    second: Int32Array.from(second),
  };
}

function noPair(clips: readonly Timed[], offsetS: number): UserError {
  const duration = ({ timestampsS }: Timed) => (timestampsS.at(-1) ?? 0) - (timestampsS[0] ?? 0);
  const longestS = clips.reduce((longest, clip) => Math.max(longest, duration(clip)), 0);
  const intervalS = clips.reduce(
    (finest, clip) => Math.min(finest, medianInterval(clip.timestampsS)),
    Number.POSITIVE_INFINITY,
  );
  return new UserError(
    `pairs: two frames ${offsetS} s apart must fit into a clip, but the longest of ${clips.length} clips lasts ${longestS.toFixed(2)} s with a frame every ${intervalS.toFixed(3)} s. Choose another offset.`,
  );
}

/** The pairs for which `keep` holds. */
export function filterPairs(pairs: FramePairs, keep: (pair: number) => boolean): FramePairs {
  const kept: number[] = [];
  for (let pair = 0; pair < pairs.length; pair++) if (keep(pair)) kept.push(pair);
  const pick = (values: Int32Array) => Int32Array.from(kept, (pair) => values[pair]!);
  return { length: kept.length, clip: pick(pairs.clip), first: pick(pairs.first), second: pick(pairs.second) };
}

/**
 * How much changed between two pictures: mean absolute difference over pixels and channels, grey levels in [0, 255].
 *
 * @param first  u8[H, W, 3]
 * @param second u8[H, W, 3]
 */
export function motionOf(first: Uint8Array, second: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < first.length; index++) {
    const difference = first[index]! - second[index]!;
    sum += difference < 0 ? -difference : difference;
  }
  return first.length === 0 ? 0 : sum / first.length;
}

/** `motionOf` of every pair, f32[pairs]. */
export function motionOfPairs(cache: FrameCache, pairs: FramePairs): Float32Array {
  const [first, second] = [new Uint8Array(cache.size ** 2 * 3), new Uint8Array(cache.size ** 2 * 3)];
  return Float32Array.from({ length: pairs.length }, (_, pair) => {
    cache.read(pairs.clip[pair]!, pairs.first[pair]!, first, 0);
    cache.read(pairs.clip[pair]!, pairs.second[pair]!, second, 0);
    return motionOf(first, second);
  });
}

/** Leaves out the pairs in which nothing moves: `motionOf` below `minimumMotion` grey levels. */
export function movingPairs(cache: FrameCache, pairs: FramePairs, minimumMotion: number): FramePairs {
  const motion = motionOfPairs(cache, pairs);
  return filterPairs(pairs, (pair) => motion[pair]! >= minimumMotion);
}
