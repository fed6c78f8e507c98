import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Episode, Feature } from "#core/contracts/episode.ts";
import { readJsonLines } from "../lerobot/info.ts";
import type { LeRobotReader } from "../lerobot/reader.ts";
import { columnStatistics } from "../lerobot/statistics.ts";
import type { Finding } from "./findings.ts";

type Stored = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [Number(value)]);

/** Statistics that a v2.1 set stores for every episode, by episode; empty for other versions. */
export async function storedStatistics(reader: LeRobotReader): Promise<ReadonlyMap<number, Stored>> {
  const path = join(reader.info.path, "meta/episodes_stats.jsonl");
  if (!existsSync(path)) return new Map();
  const lines = await readJsonLines(path);
  return new Map(lines.map(({ episode_index: index, stats }) => [Number(index), (stats ?? {}) as Stored]));
}

/** Are the stored numbers those of the rows? Off by a thousandth of the spread is wrong. */
export function checkStatistics(
  episode: number,
  features: Readonly<Record<string, Feature>>,
  columns: Episode["columns"],
  stored: Stored,
): Finding[] {
  const findings: Finding[] = [];
  for (const [name, column] of Object.entries(columns)) {
    const expected = stored[name];
    if (!expected || Array.isArray(column)) continue;
    const truth = columnStatistics(features[name]!, column as Float64Array) as unknown as Record<string, unknown>;
    const [lows, highs] = [flat(truth.min), flat(truth.max)];
    // Theirs may have been computed in 32 bits: a millionth of the size of the values is no mistake.
    const tolerances = highs.map((high, dimension) => {
      const low = lows[dimension]!;
      return 1e-3 * (high - low) + 1e-5 * Math.max(Math.abs(low), Math.abs(high), 1e-3);
    });
    const wrong = ["min", "max", "mean", "std"].filter((key) => {
      const [have, want] = [flat(expected[key]), flat(truth[key])];
      return (
        have.length !== want.length ||
        want.some((value, index) => !(Math.abs(value - have[index]!) <= tolerances[index]!))
      );
    });
    if (wrong.length > 0) {
      findings.push({
        severity: "error",
        check: "statistics",
        episode,
        feature: name,
        message: `stored ${wrong.join(", ")} are not those of the rows`,
      });
    }
  }
  return findings;
}
