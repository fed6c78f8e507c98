import { frameAt } from "./playback.ts";

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

/** A picture of the file and the stretch of the episode for which it is on: from `first` to before row `end`. */
type Shown = { readonly first: number; readonly end: number; readonly lengthS: number };

/** How long an interval is that starts at `index`; the last is taken to be as long as the one before. */
function intervalAt(timesS: readonly number[], index: number, next: number): number {
  const [now, then] = [timesS[index] ?? 0, timesS[next]];
  if (then !== undefined) return then - now;
  const before = timesS.findLastIndex((timeS) => timeS < now);
  return before < 0 ? 0 : now - timesS[before]!;
}

/** Rows may share a picture: slower cameras, and files with fewer pictures than rows. */
function pictureAt(fileTimesS: readonly number[], row: number): Shown {
  const frame = Math.min(row, fileTimesS.length - 1);
  const now = fileTimesS[frame] ?? 0;
  let [first, end] = [frame, frame + 1];
  while (first > 0 && fileTimesS[first - 1] === now) first--;
  while (end < fileTimesS.length && fileTimesS[end] === now) end++;
  return { first, end, lengthS: intervalAt(fileTimesS, first, end) };
}

/**
 * The place in the file that belongs to an instant while playing.
 *
 * @param fileTimesS  when the picture of each row of the episode comes on in the file
 * @param timestampsS when the row was taken
 */
export function videoTarget(fileTimesS: readonly number[], timestampsS: readonly number[], timeS: number): VideoTarget {
  const row = frameAt(timestampsS, timeS);
  const { first, end, lengthS } = pictureAt(fileTimesS, row);
  const takenS = intervalAt(timestampsS, first, end);
  const startS = fileTimesS[first] ?? 0;
  if (row >= fileTimesS.length || !(takenS > 0 && lengthS > 0)) return { timeS: startS, rate: 1 };
  const share = Math.min(Math.max((timeS - timestampsS[first]!) / takenS, 0), 1);
  const isOver = row === timestampsS.length - 1;
  return { timeS: startS + (isOver ? 0 : share * lengthS), rate: lengthS / takenS };
}

/** The middle of a picture's time on screen: where a standing video shows exactly it, safe from rounding at either edge. */
export function videoStill(fileTimesS: readonly number[], timestampsS: readonly number[], timeS: number): number {
  const { first, lengthS } = pictureAt(fileTimesS, frameAt(timestampsS, timeS));
  return (fileTimesS[first] ?? 0) + lengthS / 2;
}
