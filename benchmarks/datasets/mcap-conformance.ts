/** @file The MCAP project's conformance suite: files, and beside each what its records must read as. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type McapRecord, readMcapRecords } from "#datasets/mcap/records.ts";

/** Field names and values as the suite writes them: snake case, sorted, numbers as texts. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), String(item)]));
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array, String);
  return typeof value === "string" ? value : String(value);
}

function asExpected({ type, ...fields }: McapRecord) {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const entries = Object.entries(fields).map(([name, value]) => [snake(name), plain(value)] as const);
  return { type, fields: entries.sort(([left], [right]) => (left < right ? -1 : 1)) };
}

/** Reads every file of the MCAP project's suite record by record and compares it with what the suite says. */
export async function runConformance(suite: string): Promise<{ passed: number; total: number; failed: string[] }> {
  const files = existsSync(suite)
    ? readdirSync(suite, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".mcap"))
    : [];
  const failed: string[] = [];
  for (const name of files) {
    const expected = JSON.parse(readFileSync(join(suite, name.replace(/\.mcap$/, ".json")), "utf8")).records;
    const seen: unknown[] = [];
    // The suite's list leaves the indices inside of chunks out.
    for await (const record of readMcapRecords(join(suite, name)))
      if (record.type !== "MessageIndex") seen.push(asExpected(record));
    if (!isDeepStrictEqual(seen, expected)) failed.push(name);
  }
  return { passed: files.length - failed.length, total: files.length, failed };
}
