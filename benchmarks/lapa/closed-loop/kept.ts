/** @file Steps of a long benchmark that are done once: each leaves a file with the key of what it depended on. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "#core/write-whole.ts";

export type Kept = {
  /**
   * Does `work` once for `key`, into the folder that it is given. A training that was stopped goes on in its folder; the
   * folder of another key is removed first.
   *
   * @returns the folder
   */
  folder(name: string, key: unknown, work: (folder: string) => Promise<unknown>): Promise<string>;
};

export function keepIn(root: string, log: (line: string) => void): Kept {
  mkdirSync(root, { recursive: true });
  return {
    async folder(name, key, work) {
      const path = join(root, name);
      const wanted = createHash("sha256").update(JSON.stringify(key)).digest("hex");
      const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : "");
      if (read(`${path}.done`) === wanted) return path;
      if (read(`${path}.begun`) !== wanted) rmSync(path, { recursive: true, force: true });
      rmSync(`${path}.done`, { force: true });
      writeWhole(`${path}.begun`, wanted);
      log(`${name} ...`);
      await work(path);
      writeWhole(`${path}.done`, wanted);
      return path;
    },
  };
}
