import { FormatError } from "#core/errors.ts";

/** `builtin_interfaces/Time`; ROS 1 peers say `secs` and `nsecs`. */
export type RosTime = { readonly sec: number; readonly nanosec: number };

const nsPerS = 1_000_000_000n;

/** Splits nanoseconds into whole seconds (i32, rounded down) and the rest in [0, 1e9). */
export function rosTimeFromNs(stampNs: bigint): RosTime {
  const rest = ((stampNs % nsPerS) + nsPerS) % nsPerS;
  const sec = (stampNs - rest) / nsPerS;
  if (sec < -(2n ** 31n) || sec >= 2n ** 31n) {
    throw new FormatError("stamp", `seconds must fit in 32 bits, got ${sec}. Use the time since 1970.`);
  }
  return { sec: Number(sec), nanosec: Number(rest) };
}

/** Inverse of `rosTimeFromNs`. */
export const nsFromRosTime = (time: RosTime): bigint => BigInt(time.sec) * nsPerS + BigInt(time.nanosec);

export const secondsFromNs = (durationNs: bigint): number => Number(durationNs) / 1e9;

export const nsFromMs = (durationMs: number): bigint => BigInt(Math.round(durationMs * 1e6));

export const msFromNs = (durationNs: bigint): number => Number(durationNs) / 1e6;
