import { frameAt, frameTimeAt } from "./playback.ts";

/**
 * @file From the episode's clock to a video file's own. The two differ: recorders drop frames, and writers then store
 * what is left at an even rate, so frame i of the episode is the file's frame i, but not at the same second.
 */

/** Where a video file must stand, and how fast it must run from there on to keep up with the clock. */
export type VideoTarget = {
  /** Seconds of the file. */
  readonly timeS: number;
  /** Seconds of the file per second of the episode; a frame that was on for three intervals runs at a third. */
  readonly rate: number;
};

function shownFor(timesS: readonly number[], frame: number): number {
  const [before, now, next] = [timesS[frame - 1], timesS[frame] ?? 0, timesS[frame + 1]];
  if (next !== undefined) return next - now;
  return before === undefined ? 0 : now - before;
}

/**
 * The place in the file that belongs to an instant while playing.
 *
 * @param fileTimesS  when each frame of the episode comes on in the file
 * @param timestampsS when it was taken
 */
export function videoTarget(fileTimesS: readonly number[], timestampsS: readonly number[], timeS: number): VideoTarget {
  const { frame, fraction } = frameTimeAt(timestampsS, timeS);
  const last = fileTimesS.length - 1;
  const isOver = frame > last;
  const shown = shownFor(fileTimesS, Math.min(frame, last));
  const taken = shownFor(timestampsS, frame);
  return {
    timeS: (fileTimesS[Math.min(frame, last)] ?? 0) + (isOver ? 0 : fraction * shown),
    rate: taken > 0 && shown > 0 && !isOver ? shown / taken : 1,
  };
}

/** The middle of a frame's time on screen: where a standing video shows exactly it, safe from rounding at either edge. */
export function videoStill(fileTimesS: readonly number[], timestampsS: readonly number[], timeS: number): number {
  const frame = Math.min(frameAt(timestampsS, timeS), fileTimesS.length - 1);
  return (fileTimesS[frame] ?? 0) + shownFor(fileTimesS, frame) / 2;
}
