/** @file SHA-256 of files, remembered by path, size and modification time, so that a large corpus is hashed once. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { appendFile, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { FormatError } from "#core/errors.ts";

/**
 * Hashes one file.
 *
 * @returns 64 hex digits
 * @throws FormatError when the file cannot be read
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, ...(signal ? [{ signal }] : []));
  } catch (cause) {
    signal?.throwIfAborted();
    throw new FormatError(path, `must be readable (${(cause as NodeJS.ErrnoException).code}). Check the path.`, {
      cause,
    });
  }
  return hash.digest("hex");
}

export type ContentHashes = { of(path: string, signal?: AbortSignal): Promise<string> };

const indexName = "hashes.jsonl";

/** Opens the memory in `directory/hashes.jsonl`: appended to by many processes, the last line of a file counts. */
export async function createContentHashes(directory: string): Promise<ContentHashes> {
  const index = join(directory, indexName);
  const known = new Map<string, string>();
  for (const line of (await readFile(index, "utf8").catch(() => "")).split("\n")) {
    try {
      const [key, hash] = JSON.parse(line) as [string, string];
      if (/^[0-9a-f]{64}$/.test(hash)) known.set(key, hash);
    } catch {
      // A line cut by a kill is worth one hashing, no more.
    }
  }
  return {
    async of(path, signal) {
      const info = await stat(path).catch(() => undefined);
      if (!info?.isFile()) return hashFile(path, signal);
      const key = `${resolve(path)}|${info.size}|${info.mtimeMs}`;
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      const hash = await hashFile(path, signal);
      known.set(key, hash);
      await appendFile(index, `${JSON.stringify([key, hash])}\n`);
      return hash;
    },
  };
}
