import { type Clock, systemClock } from "#core/clock.ts";

/**
 * Nanoseconds since 1970 that never go back: the wall clock is read once, then monotonic time is added. ROS stamps need
 * the epoch, time-to-live needs monotonic time.
 */
export function epochClock(clock: Clock = systemClock, epochMs: number = Date.now()): Clock {
  const offsetNs = BigInt(Math.round(epochMs)) * 1_000_000n - clock.nowNs();
  return {
    nowNs: () => clock.nowNs() + offsetNs,
    sleep: (durationMs, signal) => clock.sleep(durationMs, signal),
  };
}
