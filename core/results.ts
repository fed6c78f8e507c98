/** @file The one shape of a measured result: `benchmarks/results/<name>.json`. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseConfig } from "./config/resolve.ts";
import { FormatError } from "./errors.ts";
import { codeCommit, describeMachine } from "./provenance.ts";
import { writeWhole } from "./write-whole.ts";

const resultSchema = z.strictObject({
  name: z.string(),
  /** What the numbers are to show, with direction, n and seeds; written before the run. */
  claim: z.string(),
  command: z.string(),
  commit: z.string(),
  date: z.string(),
  machine: z.string(),
  seeds: z.array(z.number()),
  rows: z.array(z.record(z.string(), z.unknown())),
  /** The few numbers that others read, by name. */
  summary: z.record(z.string(), z.unknown()),
});

export type Result = z.infer<typeof resultSchema>;

/** Absolute paths are of one machine: of each only the last part is kept. */
const withoutFolders = (command: string) => command.replaceAll(/(^|[\s=,])\/[^\s,]*\/([^\s,/]+)/g, "$1.../$2");

/** Adds commit, date and machine to what a command measured. */
export function createResult(measured: Omit<Result, "commit" | "date" | "machine">, now = new Date()): Result {
  const command = withoutFolders(measured.command);
  return { ...measured, command, commit: codeCommit(), date: now.toISOString(), machine: describeMachine() };
}

/** Writes `<directory>/<name>.json`, whole or not at all. @returns its path */
export function writeResult(directory: string, result: Result): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${result.name}.json`);
  writeWhole(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** @throws FormatError when the file is not a result */
export function readResult(path: string): Result {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new FormatError(path, "must be the JSON of a result. Run its command again.", { cause });
  }
  return parseConfig(resultSchema, value, path);
}
