import { msFromNs, nsFromMs } from "../protocol/stamp.ts";

export type ClockEstimate = {
  /** Robot's time minus ours, nanoseconds. */
  readonly offsetNs: bigint;
  /** The true offset is at most this far away. 0 for stamps alone, whose estimate only errs downwards. */
  readonly uncertaintyMs: number;
  readonly source: "exchange" | "stamps";
};

type Sample = { readonly offsetNs: bigint; readonly roundTripNs: bigint; readonly atNs: bigint };

/** Two crystal clocks part by no more than this. */
const driftPerSecond = 1e-4;

/**
 * How far the robot's clock is ahead of ours: Cristian's algorithm (Cristian 1989) over a window of time requests, the
 * shortest round trip counts. Robots that answer no time requests are judged by the stamps of their messages: the newest
 * stamp is older than the robot's time by the way to here, so such an estimate errs to the safe side (commands look older).
 */
export class ClockOffset {
  private readonly windowNs: bigint;
  private exchanges: Sample[] = [];
  private stamps: Sample[] = [];

  constructor({ windowMs = 30_000 }: { windowMs?: number } = {}) {
    this.windowNs = nsFromMs(windowMs);
  }

  /** One time request: when it was sent and answered by our clock, and what the robot said. */
  addExchange(sentNs: bigint, robotNs: bigint, receivedNs: bigint): void {
    const roundTripNs = receivedNs - sentNs;
    if (roundTripNs < 0n) return;
    const offsetNs = robotNs - (sentNs + receivedNs) / 2n;
    this.exchanges = this.kept(this.exchanges, { offsetNs, roundTripNs, atNs: receivedNs });
  }

  /** Shortest of the last three round trips, ms: how fast the network is now; null before the third. */
  recentRoundTripMs(): number | null {
    const recent = this.exchanges.slice(-3).map(({ roundTripNs }) => msFromNs(roundTripNs));
    return recent.length < 3 ? null : Math.min(...recent);
  }

  /** The stamp of a message that has just arrived. */
  addStamp(stampNs: bigint, receivedNs: bigint): void {
    const sample = { offsetNs: stampNs - receivedNs, roundTripNs: 0n, atNs: receivedNs };
    const last = this.stamps.at(-1);
    // One maximum per half second is enough.
    if (last && receivedNs - last.atNs < 500_000_000n) {
      if (sample.offsetNs > last.offsetNs) this.stamps[this.stamps.length - 1] = { ...sample, atNs: last.atNs };
    } else this.stamps = this.kept(this.stamps, sample);
  }

  private kept(samples: readonly Sample[], added: Sample): Sample[] {
    return [...samples, added].filter(({ atNs }) => added.atNs - atNs <= this.windowNs);
  }

  /** @returns null while nothing is known */
  estimate(nowNs: bigint): ClockEstimate | null {
    let best: ClockEstimate | null = null;
    for (const { offsetNs, roundTripNs, atNs } of this.exchanges) {
      const uncertaintyMs = msFromNs(roundTripNs) / 2 + msFromNs(nowNs - atNs) * driftPerSecond;
      if (!best || uncertaintyMs < best.uncertaintyMs) best = { offsetNs, uncertaintyMs, source: "exchange" };
    }
    for (const { offsetNs } of best ? [] : this.stamps) {
      if (!best || offsetNs > best.offsetNs) best = { offsetNs, uncertaintyMs: 0, source: "stamps" };
    }
    return best;
  }

  /** Forgets everything: after a reconnection the robot may be another one. */
  reset(): void {
    this.exchanges = [];
    this.stamps = [];
  }
}
