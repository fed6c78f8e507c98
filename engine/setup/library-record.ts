/** @file Which native engines were set up: `engines.json` in the cache folder, written by `engine setup` alone. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseConfig } from "#core/config/resolve.ts";
import { ConfigError } from "#core/errors.ts";
import { writeWhole } from "#core/write-whole.ts";

const fileSchema = z.strictObject({ path: z.string(), bytes: z.number().int(), sha256: z.string() });

const librarySchema = z.strictObject({
  /** The plugin of `xla`; libtensorflow_cc and libtensorflow_framework of `tensorflow`. */
  files: z.array(fileSchema).min(1),
  /** Where they came from, for people. */
  source: z.string(),
});

const recordSchema = z.strictObject({ xla: librarySchema.optional(), tensorflow: librarySchema.optional() });

export type NativeEngine = keyof z.infer<typeof recordSchema>;
export type Library = z.infer<typeof librarySchema>;
type LibraryFile = z.infer<typeof fileSchema>;

const recordPath = (cacheFolder: string) => join(cacheFolder, "engines.json");

function readRecord(cacheFolder: string): z.infer<typeof recordSchema> {
  const path = recordPath(cacheFolder);
  if (!existsSync(path)) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ConfigError(`${path}: must be JSON. Delete it and run "npx armature engine setup" again.`, { cause });
  }
  return parseConfig(recordSchema, value, path);
}

/** What was set up for an engine, if anything. */
export const recordedLibrary = (cacheFolder: string, engine: NativeEngine): Library | undefined =>
  readRecord(cacheFolder)[engine];

export function recordLibrary(cacheFolder: string, engine: NativeEngine, library: Library): void {
  mkdirSync(cacheFolder, { recursive: true });
  const record = { ...readRecord(cacheFolder), [engine]: library };
  writeWhole(recordPath(cacheFolder), `${JSON.stringify(record, null, 2)}\n`);
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

export const describeFile = async (path: string): Promise<LibraryFile> => ({
  path,
  bytes: statSync(path).size,
  sha256: await sha256Of(path),
});

/** Checks that the files are as long as they were at set-up; their hashes too where `deep`. */
export async function checkRecorded(engine: NativeEngine, library: Library, deep = false): Promise<void> {
  const mend = `Run "npx armature engine setup ${engine}" again.`;
  for (const { path, bytes, sha256 } of library.files) {
    if (!existsSync(path)) throw new ConfigError(`${path}: the library was set up and is gone. ${mend}`);
    const { size } = statSync(path);
    if (size !== bytes) throw new ConfigError(`${path}: must be ${bytes} bytes as at set-up, got ${size}. ${mend}`);
    if (deep && (await sha256Of(path)) !== sha256) {
      throw new ConfigError(`${path}: has changed since it was set up (SHA-256 differs). ${mend}`);
    }
  }
}
