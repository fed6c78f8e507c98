/**
 * @file Reads and writes safetensors, the format in which the field shares weights
 * (https://github.com/huggingface/safetensors, "Format"):
 *
 *   u64 header length | JSON header { name: { dtype, shape, data_offsets } } | the arrays, row-major, little-endian
 *
 * Nothing in a file is trusted: every offset is checked before memory is taken.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { describeArray, type HostArray, sizeOf } from "../tree.ts";

const headerLimit = 100_000_000;
const codes = { float32: "F32", int32: "I32", bool: "BOOL" } as const;
const dtypes = { F32: "float32", I32: "int32", BOOL: "bool" } as const;
const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(count),
  data_offsets: z.tuple([count, count]),
});
type Entry = z.infer<typeof entrySchema>;

const bytesOf = ({ data }: HostArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function encodeHeader(arrays: ReadonlyMap<string, HostArray>): Buffer {
  let offset = 0;
  const entries = [...arrays].map(([name, array]): [string, Entry] => {
    const begin = offset;
    offset += array.data.byteLength;
    return [name, { dtype: codes[array.dtype], shape: [...array.shape], data_offsets: [begin, offset] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)), "utf8");
  // Spaces after the JSON put the arrays on a multiple of 8 bytes.
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}

/**
 * Writes a new file and flushes it to the disk.
 *
 * @returns its SHA-256
 * @throws UserError when the disk is full or the place is not writable
 */
export async function writeSafetensors(path: string, arrays: ReadonlyMap<string, HostArray>): Promise<string> {
  const hash = createHash("sha256");
  try {
    const file = await open(path, "wx");
    try {
      for (const bytes of [encodeHeader(arrays), ...[...arrays.values()].map(bytesOf)]) {
        hash.update(bytes);
        await writeAll(file, bytes);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw writeFailure(path, cause);
  }
  return hash.digest("hex");
}

async function readAt(file: FileHandle, position: number, bytes: Uint8Array): Promise<Uint8Array> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, 2 ** 30), position + done);
    if (bytesRead === 0) throw new Error("the file became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}

const cut = "The file was cut or is not a safetensors file; take another checkpoint.";

async function readHeader(file: FileHandle, path: string, size: number): Promise<{ text: string; start: number }> {
  if (size < 8)
    throw new FormatError(path, `must start with 8 bytes of header length, got ${size}. ${cut}`, { byte: 0 });
  const prefix = Buffer.from(await readAt(file, 0, new Uint8Array(8)));
  const length = prefix.readBigUInt64LE();
  if (length > BigInt(headerLimit) || length > BigInt(size - 8)) {
    throw new FormatError(path, `header length ${length} must fit into the file of ${size} bytes. ${cut}`, { byte: 0 });
  }
  const header = await readAt(file, 8, new Uint8Array(Number(length)));
  return { text: Buffer.from(header).toString("utf8"), start: 8 + header.length };
}

function parseHeader(path: string, text: string): Map<string, Entry> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(path, `the header must be JSON. ${cut}`, { byte: 8, cause });
  }
  const schema = z.record(z.string(), z.unknown());
  const parsed = schema.safeParse(header);
  if (!parsed.success) throw new FormatError(path, `the header must be a JSON object. ${cut}`, { byte: 8 });
  const entries = Object.entries(parsed.data).filter(([name]) => name !== "__metadata__");
  return new Map(
    entries.map(([name, value]) => {
      const entry = entrySchema.safeParse(value);
      if (entry.success) return [name, entry.data];
      throw new FormatError(path, `array "${name}" must have dtype, shape and data_offsets. ${cut}`, { byte: 8 });
    }),
  );
}

/** Checks one entry and gives its dtype. @param next where the array must begin, counted from the end of the header */
function checkEntry(path: string, name: string, entry: Entry, start: number, next: number): HostArray["dtype"] {
  const { dtype: code, shape } = entry;
  const [begin, end] = entry.data_offsets;
  if (!Object.hasOwn(dtypes, code)) {
    throw new FormatError(path, `array "${name}" must be F32, I32 or BOOL, got ${code}. Convert the file first.`, {
      byte: 8,
    });
  }
  const dtype = dtypes[code as keyof typeof dtypes];
  if (begin !== next) {
    const what = begin < next ? "overlaps the one before it" : "leaves a gap before it";
    throw new FormatError(path, `array "${name}" ${what}. ${cut}`, { byte: start + begin });
  }
  const bytes = sizeOf(shape) * arrayTypes[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== bytes) {
    const problem = `array "${name}" ${describeArray({ shape, dtype })} takes ${bytes} bytes, its offsets say ${end - begin}`;
    throw new FormatError(path, `${problem}. ${cut}`, { byte: start + begin });
  }
  return dtype;
}

/**
 * Reads all arrays, in the order in which they lie in the file.
 *
 * @throws FormatError with the byte where the file is cut, overlaps itself or holds a dtype that is not F32, I32 or BOOL
 */
export async function readSafetensors(path: string): Promise<Map<string, HostArray>> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const { text, start } = await readHeader(file, path, size);
    const entries = [...parseHeader(path, text)].sort(
      ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
    );
    let next = 0;
    const placed = entries.map(([name, entry]) => {
      const dtype = checkEntry(path, name, entry, start, next);
      next = entry.data_offsets[1];
      return { name, shape: entry.shape, dtype, begin: start + entry.data_offsets[0] };
    });
    if (start + next !== size) {
      throw new FormatError(path, `must be ${start + next} bytes long, got ${size}. ${cut}`, {
        byte: Math.min(size, start + next),
      });
    }
    const arrays = new Map<string, HostArray>();
    for (const { name, shape, dtype, begin } of placed) {
      const data = new arrayTypes[dtype](sizeOf(shape));
      await readAt(file, begin, new Uint8Array(data.buffer));
      arrays.set(name, { shape, dtype, data });
    }
    return arrays;
  } finally {
    await file.close();
  }
}
