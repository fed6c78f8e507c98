/**
 * @file One decoded clip on disk: u8[T, size, size, 3], then f64[T] timestamps (little endian), then a trailer of
 * 16 bytes: magic "ARMC", version, T, size (u32 little endian). A file without its trailer is no clip.
 */
import { createHash, randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { type DecodeOptions, decoderVersion, decodeVideoToFile, type Fit } from "./video/decode.ts";

const magic = 0x434d5241;
const version = 1;
const trailerBytes = 16;
const extension = ".clip";
/** A part file that nobody wrote to for this long has lost its writer. */
const staleMs = 10 * 60_000;

export type ClipKey = { readonly hash: string; readonly size: number; readonly fit: Fit };

/** Path of a clip's file: everything that decides its pixels is in the name. */
export function clipFileName(directory: string, { hash, size, fit }: ClipKey): string {
  const digest = createHash("sha256").update(`${decoderVersion}|${hash}|${size}|${fit}`).digest("hex");
  return join(directory, `${digest.slice(0, 40)}-${size}${extension}`);
}

export type ClipContent = { readonly timestampsS: Float64Array };

/** Reads times of a finished clip and marks it as used; `undefined` when it is not there or not whole. */
export async function readClipFile(file: string, size: number): Promise<ClipContent | undefined> {
  const handle = await open(file, "r").catch(() => undefined);
  if (!handle) return undefined;
  try {
    const { size: fileBytes } = await handle.stat();
    const trailer = Buffer.alloc(trailerBytes);
    if (fileBytes < trailerBytes) return undefined;
    await handle.read(trailer, 0, trailerBytes, fileBytes - trailerBytes);
    const frames = trailer.readUInt32LE(8);
    const frameBytes = size * size * 3;
    const whole = fileBytes === frames * (frameBytes + 8) + trailerBytes;
    if (trailer.readUInt32LE(0) !== magic || trailer.readUInt32LE(4) !== version || !whole) return undefined;
    const times = Buffer.alloc(frames * 8);
    await handle.read(times, 0, times.length, frames * frameBytes);
    const now = new Date();
    await utimes(file, now, now).catch(() => undefined);
    return { timestampsS: Float64Array.from({ length: frames }, (_, index) => times.readDoubleLE(index * 8)) };
  } finally {
    await handle.close();
  }
}

/**
 * Decodes a video into `file`, whole or not at all.
 *
 * @throws FormatError that names the video and its problem; UserError when the disk is full
 */
export async function writeClipFile(
  file: string,
  video: string,
  options: DecodeOptions & { readonly size: number },
): Promise<ClipContent> {
  const part = `${file}.${process.pid}.${randomBytes(4).toString("hex")}.part`;
  try {
    const { timestampsS } = await decodeVideoToFile(video, part, options);
    if (timestampsS.length === 0) throw new FormatError(video, "no frame lies in the asked range. Check the range.");
    await appendTrailer(part, timestampsS, options.size, video);
    await rename(part, file);
    return { timestampsS };
  } catch (cause) {
    await rm(part, { force: true });
    throw writeFailure(file, cause);
  }
}

async function appendTrailer(part: string, timestampsS: Float64Array, size: number, video: string): Promise<void> {
  const frames = timestampsS.length;
  const tail = Buffer.alloc(frames * 8 + trailerBytes);
  for (let index = 0; index < frames; index++) tail.writeDoubleLE(timestampsS[index]!, index * 8);
  [magic, version, frames, size].forEach((value, index) => void tail.writeUInt32LE(value, frames * 8 + index * 4));
  const handle = await open(part, "r+");
  try {
    const { size: fileBytes } = await handle.stat();
    const expected = frames * size * size * 3;
    if (fileBytes !== expected) {
      throw new FormatError(
        video,
        `decoding must give ${expected} bytes for ${frames} frames, got ${fileBytes}. Try again.`,
      );
    }
    await handle.write(tail, 0, tail.length, expected);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function listClipFiles(directory: string): Promise<{ path: string; bytes: number; usedMs: number }[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(extension));
  const files = await Promise.all(
    names.map(async (name) => {
      const info = await stat(join(directory, name)).catch(() => undefined);
      return info && { path: join(directory, name), bytes: info.size, usedMs: info.mtimeMs };
    }),
  );
  return files.filter((file) => file !== undefined);
}

export async function removeClipFiles(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

/** Removes what a killed run left behind. */
export async function removeStaleParts(directory: string): Promise<void> {
  const now = Date.now();
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".part")) continue;
    const path = join(directory, name);
    const info = await stat(path).catch(() => undefined);
    if (info && now - info.mtimeMs > staleMs) await rm(path, { force: true });
  }
}
