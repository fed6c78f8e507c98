import type { Clock } from "#core/clock.ts";

type Sleeper = { readonly dueNs: bigint; readonly order: number; readonly wake: () => void };

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A clock that stands still until a test moves it. Sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  private timeNs: bigint;
  private order = 0;
  private readonly sleepers = new Set<Sleeper>();

  constructor(startNs = 1_700_000_000_000_000_000n) {
    this.timeNs = startNs;
  }

  nowNs(): bigint {
    return this.timeNs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const dueNs = this.timeNs + BigInt(Math.round(Math.max(0, durationMs) * 1e6));
      const sleeper: Sleeper = {
        dueNs,
        order: this.order++,
        wake: () => {
          this.sleepers.delete(sleeper);
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      const stop = () => {
        this.sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.sleepers.add(sleeper);
    });
  }

  /** Moves time, waking sleepers on the way; everything that they set in motion runs before time goes on. */
  async advance(durationMs: number): Promise<void> {
    const endNs = this.timeNs + BigInt(Math.round(durationMs * 1e6));
    await turn();
    for (;;) {
      const due = [...this.sleepers].filter(({ dueNs }) => dueNs <= endNs);
      if (due.length === 0) break;
      due.sort((left, right) => Number(left.dueNs - right.dueNs) || left.order - right.order);
      const next = due[0]!;
      if (next.dueNs > this.timeNs) this.timeNs = next.dueNs;
      next.wake();
      await turn();
    }
    this.timeNs = endNs;
    await turn();
  }

  /** Moves time at once, as a machine that was busy does: sleepers wake late. */
  jump(durationMs: number): void {
    this.timeNs += BigInt(Math.round(durationMs * 1e6));
  }
}
