import type { Finding } from "./findings.ts";

/** LeRobot's own tolerance, seconds; sets beyond it are refused by its loader. */
export const lerobotToleranceS = 1e-4;
/** Intervals longer than this many nominal ones are gaps. */
const gapIntervals = 1.5;

/** Times of one episode against its nominal rate. */
export function checkTimestamps(episode: number, timestampsS: Float64Array, fps: number): Finding[] {
  const found = (severity: Finding["severity"], message: string): Finding => ({
    severity,
    check: "timestamps",
    episode,
    message,
  });
  const nominalS = 1 / fps;
  let [gaps, longestS, off] = [0, 0, 0];
  for (let frame = 0; frame < timestampsS.length; frame++) {
    const timeS = timestampsS[frame]!;
    if (!Number.isFinite(timeS)) return [found("error", `frame ${frame} has the time ${timeS}`)];
    if (frame === 0) continue;
    const intervalS = timeS - timestampsS[frame - 1]!;
    if (!(intervalS > 0)) {
      return [found("error", `frame ${frame} is at ${timeS.toFixed(3)} s, not after frame ${frame - 1}`)];
    }
    if (intervalS > gapIntervals * nominalS) gaps++;
    longestS = Math.max(longestS, intervalS);
    if (Math.abs(intervalS - nominalS) > lerobotToleranceS) off++;
  }
  if (gaps > 0) {
    return [
      found(
        "warning",
        `${gaps} gaps: up to ${longestS.toFixed(3)} s between frames instead of ${nominalS.toFixed(3)} s`,
      ),
    ];
  }
  if (off > 0) {
    return [
      found(
        "warning",
        `${off} intervals differ from ${nominalS.toFixed(4)} s by more than ${lerobotToleranceS} s; LeRobot's default check refuses that`,
      ),
    ];
  }
  return [];
}
