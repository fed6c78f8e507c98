import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Episode, Feature } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { readJsonLines } from "../lerobot/info.ts";
import type { LeRobotReader } from "../lerobot/reader.ts";
import { columnStatistics } from "../lerobot/statistics.ts";
import { openParquet } from "../parquet.ts";
import type { Finding } from "./findings.ts";
import type { ValueCheck } from "./values.ts";

type Stored = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const flat = (value: unknown): number[] =>
  Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value as unknown[]).flatMap(flat) : [Number(value)];

/** Statistics that a set stores for every episode (v2.1 as lines, v3.0 as columns), by episode; v2.0 has none. */
export async function storedStatistics(reader: LeRobotReader): Promise<ReadonlyMap<number, Stored>> {
  if (reader.version === "v3.0") return storedColumns(join(reader.info.path, "meta/episodes"));
  const path = join(reader.info.path, "meta/episodes_stats.jsonl");
  if (!existsSync(path)) return new Map();
  const lines = await readJsonLines(path);
  return new Map(lines.map(({ episode_index: index, stats }) => [Number(index), (stats ?? {}) as Stored]));
}

/** Statistics of the whole set (`meta/stats.json` of v2.0 and v3.0), which trainers normalise with; else none. */
export async function storedSetStatistics(reader: LeRobotReader): Promise<Stored> {
  const path = join(reader.info.path, "meta/stats.json");
  if (reader.version === "v2.1" || !existsSync(path)) return {};
  try {
    return JSON.parse(await readFile(path, "utf8")) as Stored;
  } catch (cause) {
    throw new FormatError(path, "must be JSON. Convert the data set again.", { cause });
  }
}

/** Keys whose stored numbers differ from the true ones by more than a thousandth of the spread. */
function wrongKeys(stored: Readonly<Record<string, unknown>>, truth: Readonly<Record<string, unknown>>): string[] {
  const [lows, highs] = [flat(truth.min), flat(truth.max)];
  // Theirs may have been computed in 32 bits: a millionth of the size of the values is no mistake.
  const tolerances = highs.map((high, dimension) => {
    const low = lows[dimension]!;
    return 1e-3 * (high - low) + 1e-5 * Math.max(Math.abs(low), Math.abs(high), 1e-3);
  });
  return ["min", "max", "mean", "std"].filter((key) => {
    const [have, want] = [flat(stored[key]), flat(truth[key])];
    return (
      have.length !== want.length ||
      want.some((value, index) => !(Math.abs(value - have[index]!) <= tolerances[index]!))
    );
  });
}

/** Are the stored numbers of the whole set those of its rows? */
export function checkSetStatistics(values: ValueCheck, stored: Stored): Finding[] {
  return Object.entries(stored).flatMap(([feature, expected]): Finding[] => {
    const truth = values.summary(feature);
    const wrong = truth ? wrongKeys(expected, truth) : [];
    if (wrong.length === 0) return [];
    const message = `stored ${wrong.join(", ")} of the whole set are not those of its rows`;
    return [{ severity: "error", check: "statistics", feature, message }];
  });
}

/** Columns `stats/<feature>/<key>` of `meta/episodes`, by episode. */
async function storedColumns(folder: string): Promise<ReadonlyMap<number, Stored>> {
  const all = new Map<number, Stored>();
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".parquet"));
  for (const name of names.sort()) {
    const file = await openParquet(join(folder, name));
    try {
      const wanted = file.names.filter((column) => /^stats\/.+\/(min|max|mean|std)$/.test(column));
      const columns = await file.columns(["episode_index", ...wanted]);
      for (const [row, index] of columns.get("episode_index")!.entries()) {
        const episode: Record<string, Record<string, unknown>> = {};
        for (const column of wanted) {
          const [feature, key] = [column.slice("stats/".length, column.lastIndexOf("/")), column.split("/").at(-1)!];
          episode[feature] = { ...episode[feature], [key]: columns.get(column)![row] };
        }
        all.set(Number(index), episode);
      }
    } finally {
      await file.close();
    }
  }
  return all;
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
    const wrong = wrongKeys(expected, truth);
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
