/** Time as a value that is passed in, so that tests own it. */
export type Clock = {
  /** Monotonic nanoseconds; never goes back. */
  nowNs(): bigint;
  /** Resolves after `durationMs`, or rejects with the signal's reason. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  nowNs: () => process.hrtime.bigint(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, durationMs);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};
