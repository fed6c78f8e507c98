import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { type McapRecord, readMcapRecords } from "#datasets/mcap/records.ts";
import { sharedData } from "../judge.ts";

const suite = join(sharedData, "conformance/mcap");
const whereSuiteIs = existsSync(suite) ? describe : describe.skip;

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
whereSuiteIs("the MCAP project's conformance suite (needs ../shared/data)", () => {
  it("is read record by record as its 416 expected files say", async () => {
    const files = readdirSync(suite, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".mcap"));
    expect(files.length).toBe(416);
    const failed: string[] = [];
    for (const name of files) {
      const expected = JSON.parse(readFileSync(join(suite, name.replace(/\.mcap$/, ".json")), "utf8")) as {
        records: { type: string; fields: [string, unknown][] }[];
      };
      const seen: ReturnType<typeof asExpected>[] = [];
      // The suite's list leaves the indices inside of chunks out.
      for await (const record of readMcapRecords(join(suite, name)))
        if (record.type !== "MessageIndex") seen.push(asExpected(record));
      try {
        expect(seen).toEqual(expected.records);
      } catch {
        failed.push(name);
      }
    }
    expect(failed).toEqual([]);
  });
});
