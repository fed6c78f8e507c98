import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { openParquet, ParquetBuilder, type ParquetColumn, writeParquet } from "#datasets/parquet.ts";
import { temporaryFolder } from "./make-video.ts";

const folder = temporaryFolder();
const path = join(folder, "table.parquet");
const columns: ParquetColumn[] = [
  {
    name: "observation.state",
    type: "FLOAT",
    depth: 1,
    values: [
      [1.5, -2],
      [0, 3.25],
      [7, 8],
    ],
  },
  { name: "index", type: "INT64", values: [0n, 1n, 9_007_199_254_740_993n] },
  { name: "done", type: "BOOLEAN", values: [false, false, true] },
  { name: "task", type: "STRING", values: ["push", "é", ""] },
  {
    name: "grid",
    type: "DOUBLE",
    depth: 2,
    values: [
      [[1, 2]],
      [
        [3, 4],
        [5, 6],
      ],
      [[0.1, 1e300]],
    ],
  },
];

async function readAll(file: string, start?: number, end?: number): Promise<Record<string, unknown>> {
  const parquet = await openParquet(file);
  try {
    return Object.fromEntries(await parquet.columns(parquet.names, start, end));
  } finally {
    await parquet.close();
  }
}

describe("Parquet", () => {
  it("gives back every type, nested lists and the metadata", async () => {
    writeParquet(path, columns, { huggingface: '{"info":{}}' });
    const file = await openParquet(path);
    expect([file.rows, file.names, file.keyValues.get("huggingface")]).toEqual([
      3,
      columns.map(({ name }) => name),
      '{"info":{}}',
    ]);
    await file.close();
    expect(await readAll(path)).toEqual(Object.fromEntries(columns.map(({ name, values }) => [name, values])));
  });

  it("keeps every bit of a float, where values repeat too", async () => {
    const values = Array.from({ length: 300 }, (_, row) => [0, -0, Number.NaN, Number.POSITIVE_INFINITY][row % 4]!);
    for (const type of ["FLOAT", "DOUBLE"] as const) {
      writeParquet(path, [
        { name: "x", type, values },
        { name: "list", type, depth: 1, values: values.map((value) => [value, -value]) },
      ]);
      expect(await readAll(path)).toEqual({ x: values, list: values.map((value) => [value, -value]) });
    }
  });

  it("reads a range of rows across row groups", async () => {
    const shape = [{ name: "a", type: "INT32" }] as const;
    const builder = new ParquetBuilder(shape);
    for (const values of [[0, 1, 2], [3, 4], [5]]) builder.add([{ ...shape[0], values }]);
    writeFileSync(path, builder.finish());
    expect(await readAll(path, 2, 5)).toEqual({ a: [2, 3, 4] });
    expect(await readAll(path)).toEqual({ a: [0, 1, 2, 3, 4, 5] });
  });

  it("names a column that is missing", async () => {
    writeParquet(path, columns);
    const file = await openParquet(path);
    await expect(file.columns(["action"])).rejects.toThrow(
      `${path}: must have a column "action", has observation.state, index`,
    );
    await file.close();
  });

  it("says that a file is missing, or cut before its footer", async () => {
    await expect(openParquet(join(folder, "none.parquet"))).rejects.toThrow("the file is missing");
    writeParquet(path, columns);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 9));
    await expect(openParquet(path)).rejects.toThrow("the Parquet footer is missing");
    writeFileSync(path, "PAR1");
    await expect(openParquet(path)).rejects.toThrow("must be a Parquet file, got 4 bytes");
  });

  it("answers any damage with a FormatError or with values, soon", async () => {
    writeParquet(path, columns);
    const whole = readFileSync(path);
    const fuzzed = join(folder, "fuzzed.parquet");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        async (changes) => {
          const bytes = Buffer.from(whole);
          for (const [position, value] of changes) bytes[position] = value;
          writeFileSync(fuzzed, bytes);
          const outcome = await readAll(fuzzed).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(FormatError);
        },
      ),
      { numRuns: 300 },
    );
  });
});
