/** @file `metrics.jsonl`: one JSON object per line, each with its step. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { FormatError } from "#core/errors.ts";
import { writeFailure, writeWhole } from "#core/write-whole.ts";

/** Numbers of one step. A number that is not finite is written as null. */
export type MetricsRow = { readonly step: number; readonly [name: string]: number };

/**
 * Reads all rows. The last line may be cut (the writer was killed): it is left out.
 *
 * @throws FormatError when another line is not a row
 */
export function readMetrics(path: string): MetricsRow[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  const whole = lines.slice(0, -1); // what follows the last line break is empty or cut
  let byte = 0;
  return whole.map((line) => {
    const start = byte;
    byte += Buffer.byteLength(line) + 1;
    return parseRow(path, line, start);
  });
}

function parseRow(path: string, line: string, byte: number): MetricsRow {
  try {
    const row = JSON.parse(line) as Record<string, number | null>;
    if (typeof row?.step !== "number") throw new Error("no step");
    return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? Number.NaN])) as MetricsRow;
  } catch (cause) {
    throw new FormatError(path, "must hold one JSON object with a step per line. Move the file away.", { byte, cause });
  }
}

/** Drops a cut last line and all rows after `lastStep`, which the resumed run will write again. */
export function rewindMetrics(path: string, lastStep: number): void {
  if (!existsSync(path)) return;
  const kept = readMetrics(path).filter(({ step }) => step <= lastStep);
  writeWhole(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

export function appendMetrics(path: string, row: MetricsRow): void {
  try {
    appendFileSync(path, `${JSON.stringify(row)}\n`);
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}
