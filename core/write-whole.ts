import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { UserError } from "./errors.ts";

/**
 * Writes a file whole or not at all: under a temporary name beside it, flushed, then renamed.
 *
 * @throws UserError when the disk is full or the place cannot be written; what was there before stays
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "w");
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    if (existsSync(temporary)) rmSync(temporary);
    throw writeFailure(path, cause);
  }
}

/** The sentence for a write that failed; anything that is not the file system's is handed back as it is. */
export function writeFailure(path: string, cause: unknown): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOSPC":
    case "EDQUOT":
      return new UserError(`${path}: the disk is full. Free some space and run the command again; it goes on.`, {
        cause,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UserError(`${path}: must be writable, but is not. Choose another folder.`, { cause });
    case "ENOENT":
    case "ENOTDIR":
      return new UserError(`${path}: its folder does not exist. Create it or choose another.`, { cause });
    default:
      return cause;
  }
}
