/**
 * @file Pairs of frames as a head sees them, and as they would look from one place: each pair's second frame is carried into
 * the first one's view by the background's homography, so that what still moves is the hand.
 *
 * A frame of the cache made here belongs to one pair: frame 2 p is the pair's first, frame 2 p + 1 its second. Training,
 * labels and measures read it like any other cache.
 */
import type { FrameCache } from "#datasets/frame-cache.ts";
import { type FramePairs, filterPairs, framePairs } from "#datasets/frame-pairs.ts";
import type { Fit } from "#datasets/video/decode.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";
import { type ClipMotion, cameraBetween, carry } from "./human-video-motion.ts";

/** A tenth of a second at 30 Hz: pairs that begin closer show the same. */
const pairEvery = 3;
/** Pairs begin this many offsets apart, so that none is found between two of them. */
const pairSpacing = 10;

type Homography = readonly [number, number, number, number, number, number, number, number, number];

/** Row-major inverse of a 3 x 3 matrix, up to scale. */
function invert(m: readonly number[]): number[] {
  const minor = (a: number, b: number, c: number, d: number) => m[a]! * m[d]! - m[b]! * m[c]!;
  return [
    ...[minor(4, 5, 7, 8), -minor(1, 2, 7, 8), minor(1, 2, 4, 5)],
    ...[-minor(3, 5, 6, 8), minor(0, 2, 6, 8), -minor(0, 2, 3, 5)],
    ...[minor(3, 4, 6, 7), -minor(0, 1, 6, 7), minor(0, 1, 3, 4)],
  ];
}

/** How a pixel of the square picture lies in the video: x, y of its corner and the step per pixel. */
function viewOf({ width, height }: ClipMotion, size: number, fit: Fit) {
  const side = Math.min(width, height);
  if (fit === "stretch") return { left: 0, top: 0, stepX: width / size, stepY: height / size };
  return { left: (width - side) / 2, top: (height - side) / 2, stepX: side / size, stepY: side / size };
}

/**
 * Draws `second` as the camera of `first` would see it, in place; what lies outside of it stays as in `first`.
 *
 * @param toFirst homography from the second frame to the first, pixels of the video
 * @param first, second u8[size, size, 3]
 */
export function carryPicture(
  toFirst: readonly number[],
  motion: ClipMotion,
  { size, fit }: { readonly size: number; readonly fit: Fit },
  first: Uint8Array,
  second: Uint8Array,
): void {
  const { left, top, stepX, stepY } = viewOf(motion, size, fit);
  const [a, b, c, d, e, f, g, h, k] = invert(toFirst) as unknown as Homography;
  const seen = second.slice();
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [fromX, fromY] = [left + (column + 0.5) * stepX, top + (row + 0.5) * stepY];
      const depth = g * fromX + h * fromY + k;
      const x = ((a * fromX + b * fromY + c) / depth - left) / stepX - 0.5;
      const y = ((d * fromX + e * fromY + f) / depth - top) / stepY - 0.5;
      const target = (row * size + column) * 3;
      if (!(x >= 0 && y >= 0 && x <= size - 1 && y <= size - 1)) {
        for (let at = target; at < target + 3; at++) second[at] = first[at]!;
        continue;
      }
      const [x0, y0] = [Math.min(size - 2, Math.floor(x)), Math.min(size - 2, Math.floor(y))];
      const [u, v] = [x - x0, y - y0];
      const corner = (y0 * size + x0) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const at = corner + channel;
        const upper = (1 - u) * seen[at]! + u * seen[at + 3]!;
        const lower = (1 - u) * seen[at + 3 * size]! + u * seen[at + 3 * size + 3]!;
        second[target + channel] = Math.round((1 - v) * upper + v * lower);
      }
    }
  }
}

/** Largest way that a corner of the picture goes, pixels of the view. */
function cornerShift(by: readonly number[], motion: ClipMotion, size: number): number {
  const { width, height } = motion;
  const corners: [number, number][] = [
    [0, 0],
    [width, 0],
    [0, height],
    [width, height],
  ];
  return Math.max(
    ...corners.map(([x, y]) => {
      const [toX, toY] = carry(by, [x, y]);
      return Math.max((Math.abs(toX - x) * size) / width, (Math.abs(toY - y) * size) / height);
    }),
  );
}

/** Mean squared change below this is noise of the film, grey levels squared. */
const stillSquares = 15 ** 2;

/**
 * Corner [x, y] of the window that follows what changes most: mean shift of the squared change between two pictures, from
 * the middle of all change on. Nothing but the pictures decides.
 *
 * @param first, second u8[size, size, 3]
 */
export function changeWindow(first: Uint8Array, second: Uint8Array, size: number, window: number): [number, number] {
  const free = size - window;
  const corner = (middle: number) => Math.min(free, Math.max(0, Math.round(middle - window / 2)));
  const change = new Float64Array(size * size);
  for (let pixel = 0; pixel < change.length; pixel++) {
    let squares = 0;
    for (let at = 3 * pixel; at < 3 * pixel + 3; at++) squares += (second[at]! - first[at]!) ** 2 / 3;
    change[pixel] = Math.max(0, squares - stillSquares);
  }
  let [left, top, width] = [0, 0, size];
  for (let turn = 0; turn < 8; turn++) {
    let [sum, sumX, sumY] = [0, 0, 0];
    for (let y = top; y < top + width; y++) {
      for (let x = left; x < left + width; x++) {
        const weight = change[y * size + x]!;
        sum += weight;
        sumX += weight * (x + 0.5);
        sumY += weight * (y + 0.5);
      }
    }
    if (sum === 0) return turn === 0 ? [free >> 1, free >> 1] : [left, top];
    const next = [corner(sumX / sum), corner(sumY / sum)] as const;
    if (width === window && next[0] === left && next[1] === top) break;
    [left, top, width] = [next[0], next[1], window];
  }
  return [left, top];
}

/** A square part of a picture. @param picture u8[size, size, 3] */
function cutWindow(
  picture: Uint8Array,
  size: number,
  [left, top]: readonly [number, number],
  window: number,
  out: Uint8Array,
  offset: number,
): void {
  for (let row = 0; row < window; row++) {
    const from = ((top + row) * size + left) * 3;
    out.set(picture.subarray(from, from + window * 3), offset + row * window * 3);
  }
}

export type PairingOptions = {
  readonly offsetS: number;
  readonly fit: Fit;
  /** Carry the second frame of a pair into the first one's view. */
  readonly compensated: boolean;
  /** A pair begins at each frame whose number this divides. */
  readonly every?: number;
  /** Side of the frames that come out, pixels; below the cache's, they are the window that follows the change. */
  readonly size: number;
};

export type PairedVideos = {
  /** As the trainings take it; its frames belong to pairs. */
  readonly data: VideoData;
  /** The real frames of a pair of `data`. */
  readonly real: (clip: number, first: number) => { readonly first: number; readonly second: number };
  /** Middle of what the pair shows, [x, y] in pixels of the video. */
  readonly middle: (clip: number, first: number) => readonly [number, number];
};

/** Where the pairs of each clip begin among all. */
function startsOf(pairs: FramePairs, clips: number): Int32Array {
  const starts = new Int32Array(clips + 1);
  for (const clip of pairs.clip) starts[clip + 1] = starts[clip + 1]! + 1;
  for (let clip = 0; clip < clips; clip++) starts[clip + 1] = starts[clip + 1]! + starts[clip]!;
  return starts;
}

/** The pairs of all clips as frames of their own. */
export function pairVideos(data: VideoData, motions: readonly ClipMotion[], options: PairingOptions): PairedVideos {
  const { offsetS, fit, compensated, size: window, every = pairEvery } = options;
  const { frames } = data;
  const { size } = frames;
  const all = framePairs(frames.clips, { offsetS });
  const pairs = filterPairs(all, (pair) => all.first[pair]! % every === 0);
  const starts = startsOf(pairs, frames.clips.length);
  const pairAt = (clip: number, frame: number) => starts[clip]! + (frame >> 1);
  const [first, second] = [new Uint8Array(size * size * 3), new Uint8Array(size * size * 3)];

  /** Fills `first` and `second`. */
  const readPair = (clip: number, pair: number) => {
    frames.read(clip, pairs.first[pair]!, first, 0);
    frames.read(clip, pairs.second[pair]!, second, 0);
    if (!compensated) return;
    const motion = motions[clip]!;
    const toFirst = cameraBetween(motion, pairs.first[pair]!, pairs.second[pair]!);
    if (cornerShift(toFirst, motion, size) >= 0.3) carryPicture(toFirst, motion, { size, fit }, first, second);
  };
  const corners = new Map<number, readonly [number, number]>();
  const cornerOf = (clip: number, pair: number) => {
    const known = corners.get(pair);
    if (known !== undefined) return known;
    readPair(clip, pair);
    const corner = changeWindow(first, second, size, window);
    corners.set(pair, corner);
    return corner;
  };
  const read: FrameCache["read"] = (clip, frame, out, offset) => {
    const pair = pairAt(clip, frame);
    const corner = cornerOf(clip, pair);
    if (frame % 2 === 0) frames.read(clip, pairs.first[pair]!, first, 0);
    else readPair(clip, pair);
    cutWindow(frame % 2 === 0 ? first : second, size, corner, window, out, offset);
  };
  const clips = frames.clips.map((clip, index) => {
    const count = 2 * (starts[index + 1]! - starts[index]!);
    const time = (frame: number) => ((frame >> 1) * pairSpacing + (frame % 2)) * offsetS;
    return { ...clip, frames: count, timestampsS: Float64Array.from({ length: count }, (_, frame) => time(frame)) };
  });
  return {
    data: { ...data, frames: { ...frames, size: window, clips, read } },
    real(clip, frame) {
      const pair = pairAt(clip, frame);
      return { first: pairs.first[pair]!, second: pairs.second[pair]! };
    },
    middle(clip, frame) {
      const view = viewOf(motions[clip]!, size, fit);
      const [left, top] = cornerOf(clip, pairAt(clip, frame));
      return [view.left + (left + window / 2) * view.stepX, view.top + (top + window / 2) * view.stepY];
    },
  };
}
