/** Neighbouring bounds differ by 5 %, so a quantile is right to 5 %. */
const ratio = Math.log(1.05);
const smallestMs = 0.01;
const buckets = 512;

export type LatencySummary = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** Counts durations in logarithmic buckets: bounded memory for a run of any length. Negative ones count as 0. */
export class LatencyHistogram {
  private readonly counts = new Uint32Array(buckets);
  count = 0;
  maxMs = 0;

  add(durationMs: number): void {
    if (Number.isNaN(durationMs)) return;
    const index = Math.floor(Math.log(Math.max(durationMs, smallestMs) / smallestMs) / ratio);
    const bucket = Math.min(buckets - 1, index);
    this.counts[bucket] = this.counts[bucket]! + 1;
    this.count += 1;
    this.maxMs = Math.max(this.maxMs, durationMs);
  }

  /** @param share in [0, 1] @returns milliseconds, to 5 %; 0 when nothing was counted */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < buckets && this.count > 0; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= wanted) return Math.min(this.maxMs, smallestMs * Math.exp((bucket + 0.5) * ratio));
    }
    return 0;
  }

  /** How many durations lie in [bounds[i - 1], bounds[i]); the last entry holds the rest. */
  table(boundsMs: readonly number[]): number[] {
    const rows = new Array<number>(boundsMs.length + 1).fill(0);
    for (const [bucket, count] of this.counts.entries()) {
      const middleMs = smallestMs * Math.exp((bucket + 0.5) * ratio);
      const row = boundsMs.findIndex((bound) => middleMs < bound);
      rows[row < 0 ? boundsMs.length : row]! += count;
    }
    return rows;
  }

  summary(): LatencySummary {
    return { count: this.count, p50Ms: this.quantile(0.5), p99Ms: this.quantile(0.99), maxMs: this.maxMs };
  }
}
