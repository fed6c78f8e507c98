/**
 * @file Does a file end where its container says? Decoders conceal what is missing at the end; the sizes that mp4
 * boxes, RIFF chunks (avi) and Matroska segments declare do not.
 */
import { type FileHandle, open } from "node:fs/promises";

export type Container = {
  readonly kind: "mp4" | "avi" | "matroska" | "other";
  /** Bytes that the container declares beyond the end of the file; 0 when it is whole, or does not say. */
  readonly missingBytes: number;
};

const mp4Types = new Set([
  "ftyp",
  "moov",
  "mdat",
  "wide",
  "free",
  "skip",
  "styp",
  "moof",
  "sidx",
  "uuid",
  "pnot",
  "meta",
]);

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}

export async function inspectContainer(path: string): Promise<Container> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const head = await readAt(file, 0, 64);
    if (head.length < 12) return { kind: "other", missingBytes: 0 };
    if (mp4Types.has(head.toString("latin1", 4, 8))) {
      return { kind: "mp4", missingBytes: Math.max(0, (await mp4End(file, size)) - size) };
    }
    if (head.toString("latin1", 0, 4) === "RIFF") {
      const declared = head.readUInt32LE(4);
      const known = declared !== 0 && declared !== 0xffffffff;
      return { kind: "avi", missingBytes: known ? Math.max(0, declared + 8 - size) : 0 };
    }
    if (head.readUInt32BE(0) === 0x1a45dfa3) {
      return { kind: "matroska", missingBytes: Math.max(0, matroskaEnd(head) - size) };
    }
    return { kind: "other", missingBytes: 0 };
  } finally {
    await file.close();
  }
}

/** End of the last top-level box. */
async function mp4End(file: FileHandle, fileBytes: number): Promise<number> {
  let position = 0;
  while (position + 8 <= fileBytes) {
    const header = await readAt(file, position, 16);
    const short = header.readUInt32BE(0);
    const size = short === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : short;
    // 0 means "to the end of the file"; other small numbers are padding behind the last box.
    if (size < 8) return fileBytes;
    position += size;
  }
  return position;
}

/** Value and length of an EBML number; -1 when all its bits are set ("unknown"). */
function ebmlSize(bytes: Buffer, position: number): { value: number; length: number } {
  const first = bytes[position] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || position + length > bytes.length) return { value: -1, length: 1 };
  let value = first & (0xff >> length);
  let allOnes = value === 0xff >> length;
  for (let index = 1; index < length; index++) {
    value = value * 256 + bytes[position + index]!;
    allOnes &&= bytes[position + index] === 0xff;
  }
  return { value: allOnes ? -1 : value, length };
}

/** End of the segment behind the EBML header; 0 when it is not said. */
function matroskaEnd(head: Buffer): number {
  const header = ebmlSize(head, 4);
  const segment = 4 + header.length + header.value;
  if (header.value < 0 || segment + 12 > head.length || head.readUInt32BE(segment) !== 0x18538067) return 0;
  const { value, length } = ebmlSize(head, segment + 4);
  return value < 0 ? 0 : segment + 4 + length + value;
}
