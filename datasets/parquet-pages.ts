/**
 * @file Checks the page headers of a Parquet file before it is decoded. The decoder trusts them: a negative page size
 * or a page without values in a damaged file would send it round in circles, a huge count would eat all memory.
 */
import type { AsyncBuffer, ColumnMetaData, FileMetaData, SchemaElement } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";

/** Values of one column in one row group; far above what any data set here has, far below what fills a memory. */
const mostValues = 2 ** 26;
const mostPageBytes = 2 ** 30;
/** Rows that a byte of file can stand for: constant columns compress well, indices and times do not. */
const mostRowsPerByte = 8;

/** FileMetaData.schema and SchemaElement.num_children in parquet.thrift. */
type RawFooter = { readonly field_2?: readonly { readonly field_5?: number }[] };

/** Throws when the schema of the footer is no tree: every element but the root must be the child of one other. */
export async function checkSchema(file: AsyncBuffer): Promise<void> {
  const footerBytes = new DataView(await file.slice(file.byteLength - 8)).getUint32(0, true);
  const start = file.byteLength - 8 - footerBytes;
  if (start < 4) throw new Error(`a footer of ${footerBytes} bytes`);
  const view = new DataView(await file.slice(start, file.byteLength - 8));
  const { field_2: schema = [] } = deserializeTCompactProtocol({ view, offset: 0 }) as RawFooter;
  const children = schema.reduce((count, { field_5: own = 0 }) => count + (own >= 0 ? own : Number.NaN), 1);
  if (children !== schema.length) throw new Error(`${schema.length} schema elements where ${children} are counted`);
}

/** Throws when the counts of the footer contradict each other or the size of the file. */
export function checkFooter(file: AsyncBuffer, { num_rows: rows, row_groups: groups, schema }: FileMetaData): void {
  const leaves = leafPaths(schema).join("\n");
  let sum = 0;
  for (const group of groups) {
    if (!(group.num_rows >= 0n)) throw new Error(`a row group of ${group.num_rows} rows`);
    const columns = group.columns.map(({ meta_data: column }) => column?.path_in_schema.join("."));
    if (columns.join("\n") !== leaves) throw new Error("a row group with other columns than the schema");
    sum += Number(group.num_rows);
  }
  if (sum !== Number(rows)) throw new Error(`${rows} rows in the footer, but ${sum} in the row groups`);
  if (sum > 100_000 + mostRowsPerByte * file.byteLength) throw new Error(`${sum} rows in ${file.byteLength} bytes`);
}

/** Paths of the columns that hold values, as row groups name them. */
function leafPaths(schema: readonly SchemaElement[]): string[] {
  const leaves: string[] = [];
  let index = 1;
  const visit = (above: readonly string[]) => {
    const element = schema[index++]!;
    const path = [...above, element.name];
    if (!element.num_children) leaves.push(path.join("."));
    for (let child = 0; child < (element.num_children ?? 0); child++) visit(path);
  };
  while (index < schema.length) visit([]);
  return leaves;
}

/** Throws when the pages of the wanted columns cannot be what the footer says. */
export async function checkPages(
  file: AsyncBuffer,
  { row_groups: groups }: FileMetaData,
  wanted: ReadonlySet<string>,
  rowStart: number,
  rowEnd: number,
): Promise<void> {
  let firstRow = 0;
  for (const group of groups) {
    const rows = Number(group.num_rows);
    if (firstRow < rowEnd && firstRow + rows > rowStart) {
      for (const { meta_data: column } of group.columns) {
        if (column && wanted.has(column.path_in_schema[0]!)) await checkColumn(file, column);
      }
    }
    firstRow += rows;
  }
}

async function checkColumn(file: AsyncBuffer, column: ColumnMetaData): Promise<void> {
  const name = column.path_in_schema.join(".");
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
  const end = start + Number(column.total_compressed_size);
  if (!(start >= 4 && end > start && end <= file.byteLength))
    throw new Error(`column ${name} lies outside of the file`);
  if (!(column.num_values >= 0n && column.num_values <= BigInt(mostValues))) {
    throw new Error(`column ${name} has ${column.num_values} values`);
  }
  const reader = { view: new DataView(await file.slice(start, end)), offset: 0 };
  let values = 0;
  while (reader.offset < reader.view.byteLength) {
    const header = parquetHeader(reader);
    const [bytes, unpacked] = [Number(header.compressed_page_size), Number(header.uncompressed_page_size)];
    const isData = header.type !== "DICTIONARY_PAGE";
    const count = (header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header)?.num_values;
    const fits = bytes >= 0 && reader.offset + bytes <= reader.view.byteLength;
    if (!fits || !(unpacked >= 0 && unpacked <= mostPageBytes))
      throw new Error(`column ${name} has a page of ${bytes} bytes`);
    if (!(count !== undefined && count >= (isData ? 1 : 0) && count <= mostValues)) {
      throw new Error(`column ${name} has a page of ${count} values`);
    }
    reader.offset += bytes;
    if (isData) values += count;
  }
  if (values !== Number(column.num_values))
    throw new Error(`column ${name} has ${values} of ${column.num_values} values`);
}
