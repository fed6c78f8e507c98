/** @file TFRecord files: u64 length, its masked CRC-32C, bytes, their masked CRC-32C; little endian, one after the other. */
import { type FileHandle, open } from "node:fs/promises";
import { FormatError } from "#core/errors.ts";
import { maskedCrc32c } from "./crc32c.ts";

/** Where the bytes of one record lie. */
export type RecordPlace = { readonly path: string; readonly offset: number; readonly length: number };

const headBytes = 12;
const footBytes = 4;

async function readExactly(file: FileHandle, path: string, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  if (bytesRead !== length) {
    throw new FormatError(path, `the record ends ${length - bytesRead} bytes early. The file was cut; copy it again.`, {
      byte: offset,
    });
  }
  return bytes;
}

/**
 * Finds all records by their heads, without reading what is in them.
 *
 * @throws FormatError with the byte, when the file is missing, cut or no TFRecord
 */
export async function indexRecords(path: string): Promise<RecordPlace[]> {
  const { records, problem } = await scanRecords(path);
  if (problem) throw problem;
  return records;
}

/**
 * Finds the records up to the first damaged head.
 *
 * @throws FormatError when the file is missing
 */
export async function scanRecords(path: string): Promise<{ records: RecordPlace[]; problem?: FormatError }> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `the shard is missing (${cause.code}). Copy the data set again.`, { cause });
  });
  const records: RecordPlace[] = [];
  try {
    const { size } = await file.stat();
    for (let offset = 0; offset < size; ) {
      const length = await readLength(file, path, offset, size);
      records.push({ path, offset: offset + headBytes, length });
      offset += headBytes + length + footBytes;
    }
    return { records };
  } catch (problem) {
    if (!(problem instanceof FormatError)) throw problem;
    return { records, problem };
  } finally {
    await file.close();
  }
}

async function readLength(file: FileHandle, path: string, offset: number, size: number): Promise<number> {
  const head = await readExactly(file, path, offset, headBytes);
  if (head.readUInt32LE(8) !== maskedCrc32c(head.subarray(0, 8))) {
    throw new FormatError(path, "the length of the record has a wrong checksum: damaged, or no TFRecord.", {
      byte: offset,
    });
  }
  const length = Number(head.readBigUInt64LE(0));
  const missing = offset + headBytes + length + footBytes - size;
  if (missing > 0) {
    throw new FormatError(path, `the record ends ${missing} bytes early. The file was cut; copy it again.`, {
      byte: offset,
    });
  }
  return length;
}

/** @throws FormatError when the record's checksum is wrong */
export async function readRecord({ path, offset, length }: RecordPlace): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = await readExactly(file, path, offset, length + footBytes);
    const content = bytes.subarray(0, length);
    if (bytes.readUInt32LE(length) !== maskedCrc32c(content)) {
      throw new FormatError(path, "the record has a wrong checksum: its bytes are damaged. Copy the file again.", {
        byte: offset,
      });
    }
    return content;
  } finally {
    await file.close();
  }
}

/** One record as the file holds it. */
export function frameRecord(content: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeBigUInt64LE(BigInt(content.length));
  head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(footBytes);
  foot.writeUInt32LE(maskedCrc32c(content));
  return Buffer.concat([head, content, foot]);
}
