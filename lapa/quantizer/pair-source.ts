/** @file From clips to frame pairs to learn from, and to pairs kept for evaluation. */
import type { ActionKind, ActionSpace } from "#core/contracts/action.ts";
import { UserError } from "#core/errors.ts";
import { type FramePairs, filterPairs, framePairs, movingPairs } from "#datasets/frame-pairs.ts";
import type { PairSource } from "./batches.ts";
import type { Truth } from "./evaluate.ts";
import type { RecordedClip, VideoData } from "./video-data.ts";

/** What a data set says its actions are, where it says so. */
export const actionKindOf = ({ dataset }: RecordedClip): ActionKind | undefined =>
  (dataset.metadata.actionSpace as Partial<ActionSpace> | undefined)?.kind;

/**
 * What was done between two frames: the sum of deltas, the integral of velocities, else how far the state (or, without
 * one, the commanded position) went.
 *
 * @returns f32[A] or f32[S]
 */
export function actionOverPair(clip: RecordedClip, frames: number, first: number, second: number): Float32Array {
  const kind = actionKindOf(clip);
  const row = (values: Float32Array, frame: number) => {
    const width = values.length / frames;
    return values.subarray(frame * width, (frame + 1) * width);
  };
  const { actions, states, dataset } = clip;
  const summed = kind === "planar-delta" || kind === "end-effector-delta" || kind === "joint-velocity";
  if (!summed) {
    const positions = states ?? actions;
    const start = row(positions, first);
    return row(positions, second).map((value, index) => value - start[index]!);
  }
  const total = new Float32Array(actions.length / frames);
  const scale = kind === "joint-velocity" ? 1 / dataset.fps : 1;
  for (let frame = first; frame < second; frame++) {
    for (const [index, value] of row(actions, frame).entries()) total[index] = total[index]! + scale * value;
  }
  return total;
}

/** Mean 0 and variance 1 per dimension; one that does not vary becomes 0. @param rows f32[N, A], changed in place */
function standardise(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  for (let index = 0; index < width; index++) {
    let [sum, squares] = [0, 0];
    for (let at = index; at < rows.length; at += width) sum += rows[at]! / count;
    for (let at = index; at < rows.length; at += width) squares += (rows[at]! - sum) ** 2 / count;
    const scale = squares > 1e-12 ? 1 / Math.sqrt(squares) : 0;
    for (let at = index; at < rows.length; at += width) rows[at] = (rows[at]! - sum) * scale;
  }
  return rows;
}

/** Actions of all pairs of recorded clips. @returns f32[N, A] @throws UserError when the sets have different sizes */
export function pairActions(data: VideoData, pairs: FramePairs): { actions: Float32Array; width: number } {
  const rows = Array.from({ length: pairs.length }, (_, pair) => {
    const clip = pairs.clip[pair]!;
    const frames = data.frames.clips[clip]!.frames;
    return actionOverPair(data.recorded[clip]!, frames, pairs.first[pair]!, pairs.second[pair]!);
  });
  const width = rows[0]?.length ?? 0;
  const other = rows.find((row) => row.length !== width);
  if (other !== undefined) {
    throw new UserError(
      `datasets: must agree in the size of their actions, got ${width} and ${other.length}. Train on one kind of robot at a time.`,
    );
  }
  const actions = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) actions.set(row, index * width);
  return { actions, width };
}

/** The pairs of plain videos: clips whose actions nobody recorded. */
export const videoPairs = (data: VideoData, pairs: FramePairs): FramePairs =>
  filterPairs(pairs, (pair) => data.recorded[pairs.clip[pair]!] === undefined);

export type SplitPairs = {
  readonly train: PairSource;
  /** Of clips that training does not see. */
  readonly heldOut: FramePairs;
  /** Size of the labelled actions; 0 without labels. */
  readonly actionSize: number;
};

/** All pairs in one, sorted by clip, then by first frame. */
function joinPairs(all: readonly FramePairs[]): FramePairs {
  const rows = all.flatMap(({ clip, first, second }) =>
    Array.from(clip, (_, pair) => [clip[pair]!, first[pair]!, second[pair]!] as const),
  );
  rows.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const column = (index: 0 | 1 | 2) => Int32Array.from(rows, (row) => row[index]);
  return { length: rows.length, clip: column(0), first: column(1), second: column(2) };
}

type PairOptions = { readonly offsetS: number; readonly minMotion: number };

/**
 * Pairs frames `offsetS` apart, leaves out pairs without motion, and splits by clip.
 *
 * @throws UserError when no pair is left to learn from
 */
export const splitPairs = (data: VideoData, { offsetS, minMotion }: PairOptions): SplitPairs =>
  splitPairsAt(data, [offsetS], minMotion);

/** The same with pairs of all offsets of a training: `offsetS` and `offsetsS`. @throws UserError as `splitPairs` */
export const splitTrainingPairs = (
  data: VideoData,
  { offsetS, offsetsS, minMotion }: PairOptions & { readonly offsetsS: readonly number[] },
): SplitPairs => splitPairsAt(data, [...new Set([offsetS, ...offsetsS])], minMotion);

function splitPairsAt(data: VideoData, offsets: readonly number[], minMotion: number): SplitPairs {
  const paired = offsets.map((offsetS) => framePairs(data.frames.clips, { offsetS }));
  const all = paired.length === 1 ? paired[0]! : joinPairs(paired);
  const moving = movingPairs(data.frames, all, minMotion);
  const pairs = filterPairs(moving, (pair) => !data.heldOut[moving.clip[pair]!]);
  if (pairs.length === 0) {
    throw new UserError(
      `pairs: none of ${all.length} pairs of frames is left to learn from: nothing moves by ${minMotion} grey levels. Lower --minMotion or --data.holdOut.`,
    );
  }
  const labelled = filterPairs(pairs, (pair) => data.recorded[pairs.clip[pair]!] !== undefined);
  const { actions, width } = pairActions(data, labelled);
  const withLabels = width === 0 ? {} : { labelled: { pairs: labelled, actions: standardise(actions, width) } };
  return {
    train: { frames: data.frames, pairs, ...withLabels },
    heldOut: filterPairs(moving, (pair) => data.heldOut[moving.clip[pair]!]!),
    actionSize: width,
  };
}

/** The recorded actions as the true motion of pairs; `undefined` where some clip has none. */
export function recordedTruth(data: VideoData): Truth | undefined {
  if (data.recorded.some((clip) => clip === undefined)) return undefined;
  return (pairs) => {
    const { actions, width } = pairActions(data, pairs);
    return { values: actions, width };
  };
}
