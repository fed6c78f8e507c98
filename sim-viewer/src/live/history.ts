/** A message that seems to have been on its way for longer came from a clock that was set, seconds. */
const longestDelayS = 2;

/** Numbers over the last seconds, for plots that run along. */
export type History = {
  /** @param values one per channel */
  add(timeS: number, values: ArrayLike<number>): void;
  /** All samples that are young enough, oldest first: times and one list per channel. */
  read(nowS: number): { readonly timesS: number[]; readonly values: (number | null)[][] };
};

/** @param lengthS how long a sample stays, seconds */
export function createHistory(channels: number, lengthS: number): History {
  const times: number[] = [];
  const rows: number[][] = [];
  return {
    add(timeS, values) {
      const last = times.at(-1) ?? Number.NEGATIVE_INFINITY;
      // Plots need times that ascend: a clock that was set back starts over, two samples of one instant are one.
      if (timeS < last) times.length = rows.length = 0;
      if (timeS === last) rows.pop();
      else times.push(timeS);
      rows.push(Array.from({ length: channels }, (_, channel) => values[channel] ?? Number.NaN));
      const old = times.findIndex((time) => time >= timeS - lengthS);
      times.splice(0, old);
      rows.splice(0, old);
    },
    read(nowS) {
      const first = times.findIndex((time) => time >= nowS - lengthS);
      const start = first < 0 ? times.length : first;
      const values = Array.from({ length: channels }, (_, channel) =>
        rows.slice(start).map((row) => (Number.isFinite(row[channel]) ? row[channel]! : null)),
      );
      return { timesS: times.slice(start), values };
    },
  };
}

/** How often something comes, measured over the last second, and how long ago it came last. */
export type Pulse = { beat(nowMs: number): void; rateHz(nowMs: number): number; ageMs(nowMs: number): number | null };

export function createPulse(): Pulse {
  let beats: number[] = [];
  return {
    beat(nowMs) {
      beats = [...beats.filter((beat) => beat > nowMs - 1000), nowMs];
    },
    rateHz: (nowMs) => beats.filter((beat) => beat > nowMs - 1000).length,
    ageMs: (nowMs) => (beats.length === 0 ? null : nowMs - beats.at(-1)!),
  };
}

/**
 * Puts stamps of another clock on the page's: the message that was the fastest so far is taken to have come at once, so
 * that messages which arrive in bursts keep their own distances.
 */
export function createStampClock(): (stampS: number, nowS: number) => number {
  let offsetS = Number.POSITIVE_INFINITY;
  return (stampS, nowS) => {
    // Stamp 0 means "now"; a difference that grew by seconds is another clock, not a slow message.
    if (stampS === 0) return nowS;
    const delayS = nowS - stampS;
    offsetS = delayS > offsetS + longestDelayS ? delayS : Math.min(offsetS, delayS);
    return stampS + offsetS;
  };
}
