/** @file Compiled programs on disk, so that a second start takes a fraction of a second. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "#core/write-whole.ts";
import { prunePrograms } from "../native/program-folder.ts";
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

/**
 * Entries are named by program, options and device, and begin with their own hash: one that was cut or changed is compiled
 * again.
 *
 * @param folder of this plugin and this processor
 */
export function createExecutableCache(folder: string, client: PjrtClient): ExecutableCache {
  const place = [client.platformVersion, client.deviceKind].join("\n");
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
        writeWhole(path, Buffer.concat([digest(content).digest(), content]));
        prunePrograms(folder);
      } catch {
        // Not every plugin can write its programs, and a full disk must not stop a training that fits in memory.
      }
      return executable;
    },
  };
}
