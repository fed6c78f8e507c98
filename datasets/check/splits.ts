import type { DatasetInfo } from "#core/contracts/episode.ts";
import type { Finding } from "./findings.ts";

/** Splits as LeRobot names them, `{"train": "0:40", "val": "40:50"}`: ranges that share episodes leak. */
export function checkSplits({ metadata, episodes }: DatasetInfo): Finding[] {
  const findings: Finding[] = [];
  const found = (message: string) => findings.push({ severity: "error", check: "splits", message });
  const ranges: { name: string; start: number; end: number }[] = [];
  for (const [name, range] of Object.entries((metadata.splits ?? {}) as Record<string, unknown>)) {
    const [, start, end] = /^(\d+):(\d+)$/.exec(String(range)) ?? [];
    if (start === undefined || end === undefined) continue;
    if (Number(end) > episodes) found(`split "${name}" is ${range}, but the set has ${episodes} episodes`);
    ranges.push({ name, start: Number(start), end: Number(end) });
  }
  for (const [index, left] of ranges.entries()) {
    for (const right of ranges.slice(index + 1)) {
      const shared = Math.min(left.end, right.end) - Math.max(left.start, right.start);
      if (shared > 0) found(`splits "${left.name}" and "${right.name}" share ${shared} episodes: they leak`);
    }
  }
  return findings;
}
