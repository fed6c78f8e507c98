/** @file What other processes took of the machine while something was measured. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Clock ticks of the kernel's counters; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Busy time of all processors, and of this process with the children that it waited for, seconds. */
function busySeconds(): { all: number; own: number } {
  const [, ...counters] = readFileSync("/proc/stat", "utf8").split("\n")[0]!.split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0] = counters.map(Number);
  // After the name in brackets: state is field 3, so utime, stime, cutime and cstime are 14 to 17.
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
    .map(Number);
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0);
  return { all: (user + nice + system + interrupts + soft) / ticksPerSecond, own: own / ticksPerSecond };
}

/**
 * Starts watching. @returns a function that gives the share [0, 1] of the machine that others took since then, and
 * `undefined` where the system does not tell (only Linux does)
 */
export function watchOtherLoad(): () => number | undefined {
  if (process.platform !== "linux") return () => undefined;
  const [before, start] = [busySeconds(), performance.now()];
  return () => {
    const now = busySeconds();
    const seconds = ((performance.now() - start) / 1000) * availableParallelism();
    return Math.max(0, now.all - before.all - (now.own - before.own)) / seconds;
  };
}

/**
 * Measures again while others take more than `most` of the machine, `tries` times at most, and keeps the quietest.
 */
export async function undisturbed<T>(
  measure: () => Promise<T>,
  { most = 0.1, tries = 4 }: { readonly most?: number; readonly tries?: number } = {},
): Promise<{ readonly value: T; readonly otherLoad: number | undefined }> {
  let best: { readonly value: T; readonly otherLoad: number | undefined } | undefined;
  for (let attempt = 0; attempt < tries; attempt++) {
    const otherLoad = watchOtherLoad();
    const value = await measure();
    const found = { value, otherLoad: otherLoad() };
    if (best === undefined || (found.otherLoad ?? 0) < (best.otherLoad ?? 0)) best = found;
    if ((best.otherLoad ?? 0) <= most) break;
  }
  return best!;
}
