/** @file Compiled programs on disk, so that a second start takes a fraction of a second. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { writeWhole } from "#core/write-whole.ts";
import type { PjrtClient, PjrtExecutable } from "./pjrt-client.ts";

export type ExecutableCache = {
  /** From the disk where it is there, else compiled and kept. */
  load(client: PjrtClient, code: Uint8Array, options: Uint8Array): Promise<PjrtExecutable>;
};

const digest = (...parts: readonly (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length} `).update(part);
  return hash;
};

/** Instruction sets: machine code of one processor may not run on another. */
function processorFlags(): string {
  const path = "/proc/cpuinfo";
  const flags = existsSync(path) ? /^(?:flags|Features)\s*:.*$/m.exec(readFileSync(path, "utf8"))?.[0] : undefined;
  return flags ?? cpus()[0]?.model ?? process.arch;
}

const largestFolderBytes = 2 ** 30;

/** Removes the entries that were not used for longest. */
function prune(folder: string): void {
  const entries = readdirSync(folder)
    .filter((name) => name.endsWith(".xla"))
    .map((name) => ({ path: join(folder, name), ...statSync(join(folder, name)) }))
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  let total = 0;
  for (const { path, size } of entries) {
    total += size;
    if (total > largestFolderBytes) rmSync(path, { force: true });
  }
}

/**
 * Entries are named by program, options, plugin and processor, and begin with their own hash: one that was cut or changed
 * is compiled again.
 */
export function createExecutableCache(folder: string, plugin: string, client: PjrtClient): ExecutableCache {
  const { size, mtimeMs } = statSync(plugin);
  const place = [plugin, size, mtimeMs, client.platformVersion, client.deviceKind, processorFlags()].join("\n");
  const hashBytes = 32;

  const read = (path: string): Uint8Array | undefined => {
    if (!existsSync(path)) return undefined;
    const file = readFileSync(path);
    const content = file.subarray(hashBytes);
    return digest(content).digest().equals(file.subarray(0, hashBytes)) ? content : undefined;
  };

  return {
    async load(target, code, options) {
      const path = join(folder, `${digest(place, code, options).digest("hex").slice(0, 40)}.xla`);
      const kept = read(path);
      if (kept !== undefined) {
        try {
          const executable = target.load(kept);
          const now = new Date();
          utimesSync(path, now, now);
          return executable;
        } catch {
          // Another build of the plugin under the same name: compiled again below.
        }
      }
      const executable = await target.compile(code, options);
      try {
        const content = executable.serialize();
        mkdirSync(folder, { recursive: true });
        writeWhole(path, Buffer.concat([digest(content).digest(), content]));
        prune(folder);
      } catch {
        // Not every plugin can write its programs, and a full disk must not stop a training that fits in memory.
      }
      return executable;
    },
  };
}
