/** @file Where compiled programs are kept: a folder per library and processor, because machine code fits no other. */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

/** Instruction sets: machine code of one processor may not run on another. */
function processorFlags(): string {
  const path = "/proc/cpuinfo";
  const flags = existsSync(path) ? /^(?:flags|Features)\s*:.*$/m.exec(readFileSync(path, "utf8"))?.[0] : undefined;
  return flags ?? cpus()[0]?.model ?? process.arch;
}

/** The folder for programs of a library, made where it is missing. */
export function programFolder(cacheFolder: string, library: string): string {
  const { size, mtimeMs } = statSync(library);
  const identity = [library, size, mtimeMs, processorFlags()].join("\n");
  const folder = join(cacheFolder, "programs", createHash("sha256").update(identity).digest("hex").slice(0, 16));
  mkdirSync(folder, { recursive: true });
  return folder;
}

const largestFolderBytes = 2 ** 30;

/** Removes the programs that were not used for longest, so that the folder stays below 1 GiB. */
export function prunePrograms(folder: string): void {
  const entries = readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, size: statSync(path).size, usedMs: statSync(path).mtimeMs }))
    .sort((a, b) => b.usedMs - a.usedMs);
  let total = 0;
  for (const { path, size } of entries) {
    total += size;
    if (total > largestFolderBytes) rmSync(path, { force: true });
  }
}

/** Whether a file of length-delimited protobuf fields ends where its last field does. */
function isWholeMessage(path: string): boolean {
  const { size } = statSync(path);
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(16);
    let place = 0;
    while (place < size) {
      const read = readSync(file, head, 0, head.length, place);
      let [value, shift, at] = [0, 0, 1]; // after the tag, which is one byte
      while (at < read && head[at]! > 127) value += (head[at++]! & 127) * 2 ** (7 * shift++);
      if ((head[0]! & 7) !== 2 || at >= read) return false;
      place += at + 1 + value + head[at]! * 2 ** (7 * shift);
    }
    return place === size;
  } finally {
    closeSync(file);
  }
}

/** Removes programs that were cut while TensorFlow wrote them: it would refuse to run them. */
export function removeCutMessages(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!isWholeMessage(join(folder, name))) rmSync(join(folder, name), { force: true });
  }
}
