/**
 * @file One job on many machines without a scheduler of our own: worker i of N does the items i, i + N, i + 2N, ...;
 * every result gets its name when it is whole, so that a worker may be killed at any time and started again; a manifest
 * with checksums says what a shard has done, and merging refuses gaps, doubles and results of another job.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { FormatError, UserError } from "#core/errors.ts";
import { writeFailure, writeWhole } from "#core/write-whole.ts";
import { hashFile } from "./content-hash.ts";
import { forEachParallel } from "./parallel.ts";

export type ShardJob = {
  readonly name: string;
  /** Hash of everything that decides the results beside the items: configuration, checkpoint, version. */
  readonly hash: string;
  /** Unique names, the same list and order for every worker. */
  readonly items: readonly string[];
};

export type Shard = { readonly shard: number; readonly of: number };

/** Makes the result of one item as a file or folder at `path`; must depend on the item and the job alone. */
export type ShardWork = (item: string, path: string) => Promise<void>;

const entrySchema = z.strictObject({
  index: z.int(),
  item: z.string(),
  file: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});
const manifestSchema = z.strictObject({
  ...{ job: z.string(), hash: z.string(), items: z.int(), shard: z.int(), of: z.int() },
  entries: z.array(entrySchema),
});
type Manifest = z.infer<typeof manifestSchema>;

const manifestName = ({ shard, of }: Shard) =>
  `shard-${String(shard).padStart(5, "0")}-of-${String(of).padStart(5, "0")}.json`;

/** The name says job and item, so results of another job are never taken for these. */
function resultName(job: ShardJob, index: number): string {
  const digest = createHash("sha256").update(`${job.name}|${job.hash}|${job.items[index]}`).digest("hex");
  return `${String(index).padStart(6, "0")}-${digest.slice(0, 16)}.result`;
}

export type ShardOptions = {
  /** Items under way at once, default 1. */
  readonly workers?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/** @throws UserError for a shard that is none */
export function requireShard({ shard, of }: Shard): void {
  if (!Number.isInteger(of) || of < 1 || !Number.isInteger(shard) || shard < 0 || shard >= of) {
    throw new UserError(`shards: expected 0 <= shard < of, got --shard ${shard} --of ${of}. Shards count from 0.`);
  }
}

/**
 * Does one shard's items, those that are there already not again, and writes its manifest.
 *
 * Any number of workers may use `directory`; two workers on the same shard do no harm but double work.
 *
 * @throws UserError for a shard that is none, or when the place cannot be written
 */
export async function runShard(
  directory: string,
  job: ShardJob,
  which: Shard,
  work: ShardWork,
  options: ShardOptions = {},
): Promise<void> {
  requireShard(which);
  await mkdir(directory, { recursive: true }).catch((cause) => {
    throw writeFailure(directory, cause);
  });
  const indices = Array.from(job.items.keys()).filter((index) => index % which.of === which.shard);
  const entries: Manifest["entries"] = new Array(indices.length);
  let done = 0;
  await forEachParallel(indices, options.workers ?? 1, async (index, place) => {
    options.signal?.throwIfAborted();
    const file = resultName(job, index);
    const path = join(directory, file);
    if (!(await stat(path).catch(() => undefined))) await makeResult(job.items[index]!, path, work);
    entries[place] = { index, item: job.items[index]!, file, ...(await measureResult(path)) };
    options.onProgress?.(++done, indices.length);
  });
  const manifest: Manifest = { job: job.name, hash: job.hash, items: job.items.length, ...which, entries };
  writeWhole(join(directory, manifestName(which)), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function makeResult(item: string, path: string, work: ShardWork): Promise<void> {
  const part = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.part`;
  try {
    await work(item, part);
    await rename(part, path).catch((cause: NodeJS.ErrnoException) => {
      // A folder that another worker finished in the meantime holds the same.
      if (cause.code !== "ENOTEMPTY" && cause.code !== "EEXIST") throw cause;
    });
    await rm(part, { recursive: true, force: true });
  } catch (cause) {
    await rm(part, { recursive: true, force: true });
    throw writeFailure(path, cause);
  }
}

/** Size and checksum of a file, or of all files of a folder with their names. */
async function measureResult(path: string): Promise<{ bytes: number; sha256: string }> {
  const info = await stat(path);
  if (!info.isDirectory()) return { bytes: info.size, sha256: await hashFile(path) };
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  let bytes = 0;
  for (const file of files.sort()) {
    bytes += (await stat(file)).size;
    hash.update(`${relative(path, file)}\0${await hashFile(file)}\n`);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/**
 * Checks that all shards of a job are there, whole and not doubled.
 *
 * @returns paths of the results in the order of the items
 * @throws UserError that names what is missing or too much; FormatError for a result that is not what its manifest says
 */
export async function mergeShards(directory: string, job: ShardJob): Promise<string[]> {
  const manifests = (await readManifests(directory)).filter(
    ({ job: name, hash }) => name === job.name && hash === job.hash,
  );
  const [first] = manifests;
  if (!first)
    throw new UserError(
      `${directory}: holds no finished shard of job "${job.name}" (${job.hash.slice(0, 12)}). Run its shards first.`,
    );
  const counts = [...new Set(manifests.map(({ of }) => of))];
  if (counts.length > 1) {
    throw new UserError(
      `${directory}: all shards must be of one split, got shards of ${counts.join(" and of ")}. Remove one set.`,
    );
  }
  const present = new Set(manifests.map(({ shard }) => shard));
  const missing = Array.from({ length: first.of }, (_, shard) => shard).filter((shard) => !present.has(shard));
  if (missing.length > 0)
    throw new UserError(
      `${directory}: ${missing.length} of ${first.of} shards are missing: ${missing.slice(0, 10).join(", ")}. Run them.`,
    );
  const results: (string | undefined)[] = new Array(job.items.length).fill(undefined);
  for (const { entries } of manifests) {
    for (const { index, item, file, bytes, sha256 } of entries) {
      if (job.items[index] !== item)
        throw new UserError(
          `${directory}: item ${index} must be "${job.items[index]}", got "${item}". The list of items changed; run the shards again.`,
        );
      if (results[index] !== undefined)
        throw new UserError(`${directory}: item "${item}" was done by two shards. Remove one manifest.`);
      results[index] = await requireResult(join(directory, file), bytes, sha256);
    }
  }
  const gap = results.indexOf(undefined);
  if (gap >= 0)
    throw new UserError(`${directory}: item "${job.items[gap]}" was done by no shard. Run the shards again.`);
  return results as string[];
}

async function requireResult(path: string, bytes: number, sha256: string): Promise<string> {
  const found = (await stat(path).catch(() => undefined)) && (await measureResult(path));
  if (found?.bytes !== bytes)
    throw new FormatError(
      path,
      `must be a result of ${bytes} bytes, got ${found?.bytes ?? "no file"}. Remove it and run its shard again.`,
    );
  if (found.sha256 !== sha256)
    throw new FormatError(path, "is not what its manifest says (checksum). Remove it and run its shard again.");
  return path;
}

async function readManifests(directory: string): Promise<Manifest[]> {
  const names = (await readdir(directory).catch(() => []))
    .filter((name) => /^shard-\d+-of-\d+\.json$/.test(name))
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      try {
        return manifestSchema.parse(JSON.parse(await readFile(path, "utf8")));
      } catch (cause) {
        throw new FormatError(path, "must be the manifest of a shard, but is not. Remove it and run the shard again.", {
          cause,
        });
      }
    }),
  );
}
