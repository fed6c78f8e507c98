/** @file MCAP files record by record (https://mcap.dev/spec), with checksums and errors that name the byte. */
import { type FileHandle, open } from "node:fs/promises";
import lz4 from "@foxglove/wasm-lz4";
import zstd from "@foxglove/wasm-zstd";
import { McapIndexedReader, McapStreamReader, type McapTypes } from "@mcap/core";
import { FormatError } from "#core/errors.ts";

export type McapRecord = McapTypes.TypedMcapRecord;

const chunkBytes = 1 << 20;
/** A chunk may not unpack to more: a damaged length would ask for all memory. */
const mostUnpackedBytes = 2 ** 30;

async function decompressHandlers(): Promise<McapTypes.DecompressHandlers> {
  await Promise.all([lz4.isLoaded, zstd.isLoaded]);
  const limited = (unpack: (data: Uint8Array, size: number) => Uint8Array) => (data: Uint8Array, size: bigint) => {
    if (size > mostUnpackedBytes) throw new Error(`a chunk of ${size} bytes`);
    return unpack(data, Number(size));
  };
  return { lz4: limited((data, size) => lz4(data, size)), zstd: limited((data, size) => zstd.decompress(data, size)) };
}

async function openFile(path: string): Promise<FileHandle> {
  return open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new FormatError(path, `the recording is missing (${cause.code}). Check the path.`, { cause });
  });
}

const damaged = (path: string, byte: number, cause: unknown) =>
  new FormatError(path, `the recording is damaged or no MCAP (${(cause as Error).message.slice(0, 120)}).`, {
    byte,
    cause,
  });

/**
 * All records in file order, those inside of chunks too. Works on a stream: memory holds one record or chunk.
 *
 * A recording whose writer was killed gives its whole records, then throws.
 *
 * @throws FormatError with the byte up to which the file was understood
 */
export async function* readMcapRecords(path: string): AsyncGenerator<McapRecord> {
  const file = await openFile(path);
  try {
    const reader = new McapStreamReader({ decompressHandlers: await decompressHandlers() });
    const next = (position: number): McapRecord | undefined => {
      try {
        return reader.nextRecord();
      } catch (cause) {
        throw damaged(path, position - reader.bytesRemaining(), cause);
      }
    };
    let position = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      reader.append(buffer.subarray(0, bytesRead));
      for (let record = next(position); record; record = next(position)) yield record;
    }
    if (!reader.done()) {
      const byte = position - reader.bytesRemaining();
      throw new FormatError(path, "the recording was cut: it ends before its footer. What is whole can be repaired.", {
        byte,
      });
    }
  } finally {
    await file.close();
  }
}

export type McapFile = {
  readonly reader: McapIndexedReader;
  close(): Promise<void>;
};

/**
 * Opens a recording by its index, for reading some topics or a stretch of time.
 *
 * @throws FormatError when it is missing, cut (no footer) or no MCAP
 */
export async function openMcap(path: string): Promise<McapFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const readable: McapTypes.IReadable = {
      size: async () => BigInt(size),
      async read(offset, length) {
        if (offset + length > BigInt(size)) throw new Error(`${length} bytes at ${offset} lie beyond the end`);
        const bytes = Buffer.alloc(Number(length));
        await file.read(bytes, 0, bytes.length, Number(offset));
        return bytes;
      },
    };
    const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers: await decompressHandlers() });
    return { reader, close: () => file.close() };
  } catch (cause) {
    await file.close();
    throw new FormatError(
      path,
      `the recording has no readable index (${(cause as Error).message.slice(0, 120)}). Was it cut?`,
      { cause },
    );
  }
}
