/** @file Parquet files in and out, by column, with errors that name the file. */
import { open } from "node:fs/promises";
import type { AsyncBuffer, DecodedArray, FileMetaData, SchemaElement } from "hyparquet";
import { parquetMetadataAsync, parquetRead } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { FormatError } from "#core/errors.ts";
import { writeWhole } from "#core/write-whole.ts";
import { checkFooter, checkPages, checkSchema } from "./parquet-pages.ts";

export type ParquetFile = {
  readonly rows: number;
  /** Names of the top-level columns. */
  readonly names: readonly string[];
  /** Key-value metadata of the file. */
  readonly keyValues: ReadonlyMap<string, string>;
  /**
   * Reads whole columns, or the rows [rowStart, rowEnd) of them.
   *
   * @throws FormatError when a column is missing or its bytes are damaged
   */
  columns(names: readonly string[], rowStart?: number, rowEnd?: number): Promise<Map<string, readonly unknown[]>>;
  /**
   * Reads the rows [rowStart, rowEnd) of a column of encoded pictures, as Hugging Face's readers keep them.
   *
   * @throws FormatError as `columns`
   */
  pictures(name: string, rowStart: number, rowEnd: number): Promise<readonly StoredPicture[]>;
  close(): Promise<void>;
};

/** A picture file's bytes, or where it lies when it is not embedded. */
export type StoredPicture = { readonly bytes: Uint8Array | null; readonly path: string | null };

const damaged = (path: string, cause: unknown) =>
  new FormatError(
    path,
    `the Parquet file is damaged or cut (${(cause as Error).message ?? cause}). Write or copy it again.`,
    { cause },
  );

/**
 * Opens a Parquet file by its footer.
 *
 * @throws FormatError when it is missing, cut (no footer: the writer was not closed) or no Parquet
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const handle = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === "ENOENT" ? "the file is missing" : `the file cannot be read (${cause.code})`;
    throw new FormatError(path, `${problem}. Copy the data set again, or leave this episode out.`, { cause });
  });
  try {
    const { size } = await handle.stat();
    const file: AsyncBuffer = {
      byteLength: size,
      async slice(start, end = size) {
        const length = Math.max(0, Math.min(end, size) - start);
        const buffer = new ArrayBuffer(length);
        await handle.read(new Uint8Array(buffer), 0, length, start);
        return buffer;
      },
    };
    const metadata = await readFooter(path, file);
    return describe(path, file, metadata, () => handle.close());
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readFooter(path: string, file: AsyncBuffer): Promise<FileMetaData> {
  if (file.byteLength < 12)
    throw new FormatError(path, `must be a Parquet file, got ${file.byteLength} bytes. Write it again.`);
  const magic = Buffer.from(await file.slice(file.byteLength - 4)).toString("latin1");
  if (magic !== "PAR1") {
    throw new FormatError(
      path,
      "the Parquet footer is missing: the file was cut, or its writer was not closed. Write or copy it again.",
      { byte: file.byteLength - 4 },
    );
  }
  try {
    await checkSchema(file);
    const metadata = await parquetMetadataAsync(file);
    checkFooter(file, metadata);
    return metadata;
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function describe(path: string, file: AsyncBuffer, metadata: FileMetaData, close: () => Promise<void>): ParquetFile {
  const rows = Number(metadata.num_rows);
  const names = topLevelNames(metadata.schema);
  const keyValues = new Map((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""]));
  const read = async (wanted: readonly string[], rowStart: number, rowEnd: number, utf8: boolean) => {
    for (const name of wanted) {
      if (!names.includes(name)) {
        throw new FormatError(path, `must have a column "${name}", has ${names.join(", ")}. Write the file again.`);
      }
    }
    const parts = new Map<string, Map<number, unknown>>(wanted.map((name) => [name, new Map()]));
    try {
      await checkPages(file, metadata, new Set(wanted), rowStart, rowEnd);
      await parquetRead({
        ...{ file, metadata, rowStart, rowEnd, columns: [...wanted], utf8 },
        onChunk: ({ columnName, columnData, rowStart: first }) => {
          const column = parts.get(columnName);
          for (let row = 0; row < columnData.length; row++) column?.set(first + row, columnData[row]);
        },
      });
    } catch (cause) {
      throw damaged(path, cause);
    }
    return new Map([...parts].map(([name, values]) => [name, inOrder(path, name, values, rowStart, rowEnd)]));
  };
  return {
    ...{ rows, names, keyValues, close },
    columns: (wanted, rowStart = 0, rowEnd = rows) => read(wanted, rowStart, rowEnd, true),
    async pictures(name, rowStart, rowEnd) {
      // Bytes without a type of their own would be taken for text.
      const values = (await read([name], rowStart, rowEnd, false)).get(name)!;
      return values.map((value, row) => toPicture(path, `column "${name}", row ${rowStart + row}`, value));
    },
  };
}

function toPicture(path: string, subject: string, value: unknown): StoredPicture {
  const { bytes, path: file } = (value ?? {}) as { bytes?: unknown; path?: unknown };
  const picture = {
    bytes: bytes instanceof Uint8Array ? bytes : null,
    path: file instanceof Uint8Array ? Buffer.from(file).toString() : typeof file === "string" ? file : null,
  };
  if (picture.bytes === null && picture.path === null)
    throw new FormatError(path, `${subject}: must hold a picture {bytes, path}, got neither. Write the file again.`);
  return picture;
}

function inOrder(path: string, name: string, values: Map<number, unknown>, start: number, end: number): unknown[] {
  return Array.from({ length: end - start }, (_, row) => {
    if (!values.has(start + row))
      throw new FormatError(path, `column "${name}" must have row ${start + row}, but ends before it.`);
    return values.get(start + row);
  });
}

function topLevelNames(schema: readonly SchemaElement[]): string[] {
  const names: string[] = [];
  let index = 1;
  const skip = () => {
    const { num_children: children = 0 } = schema[index++]!;
    for (let child = 0; child < children; child++) skip();
  };
  while (index < schema.length) {
    names.push(schema[index]!.name);
    skip();
  }
  return names;
}

export type ParquetScalar = "FLOAT" | "DOUBLE" | "INT64" | "INT32" | "BOOLEAN" | "STRING";

/** One column: a scalar, lists of it `depth` deep, or pictures ({bytes, path}); values are rows. */
export type ParquetColumn = {
  readonly name: string;
  readonly type: ParquetScalar | "PICTURE";
  readonly depth?: number;
  readonly values: ArrayLike<unknown>;
};

function elementsOf({ name, type, depth = 0 }: Omit<ParquetColumn, "values">): SchemaElement[] {
  if (depth > 0) {
    return [
      { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...elementsOf({ name: "element", type, depth: depth - 1 }),
    ];
  }
  if (type === "PICTURE") {
    return [
      { name, repetition_type: "OPTIONAL", num_children: 2 },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      ...elementsOf({ name: "path", type: "STRING" }),
    ];
  }
  return type === "STRING"
    ? [
        {
          name,
          type: "BYTE_ARRAY",
          repetition_type: "OPTIONAL",
          converted_type: "UTF8",
          logical_type: { type: "STRING" },
        },
      ]
    : [{ name, type, repetition_type: "OPTIONAL" }];
}

/** Builds a Parquet file row group by row group: snappy, dictionaries where they pay, lists as Arrow lays them out. */
export class ParquetBuilder {
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;

  /** @param keyValues key-value metadata of the file */
  constructor(columns: readonly Omit<ParquetColumn, "values">[], keyValues: Readonly<Record<string, string>> = {}) {
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [
        { name: "schema", repetition_type: "REQUIRED", num_children: columns.length },
        ...columns.flatMap((column) => elementsOf(column)),
      ],
      kvMetadata: Object.entries(keyValues).map(([key, value]) => ({ key, value })),
      createdBy: "armature",
    });
  }

  /** Appends one row group. */
  add(columns: readonly ParquetColumn[]): void {
    const rows = columns[0]?.values.length ?? 0;
    const columnData = columns.map(({ name, type, values }) => ({
      ...{ name, data: values as DecodedArray, offsetIndex: false },
      // The writer's dictionaries take -0 and 0 for the same.
      ...(type === "FLOAT" || type === "DOUBLE" ? { encoding: "PLAIN" as const } : {}),
    }));
    // Everything here is in memory, so the writer never hands back a promise.
    void this.#writer.write({ columnData, rowGroupSize: Math.max(1, rows) });
  }

  get byteLength(): number {
    return this.#bytes.offset;
  }

  /** Ends the file. @returns its bytes */
  finish(): Uint8Array {
    void this.#writer.finish();
    return this.#bytes.getBytes();
  }
}

/** Writes a Parquet file of one row group, whole or not at all. */
export function writeParquet(
  path: string,
  columns: readonly ParquetColumn[],
  keyValues: Readonly<Record<string, string>> = {},
): void {
  const builder = new ParquetBuilder(columns, keyValues);
  builder.add(columns);
  writeWhole(path, builder.finish());
}
