import { appendFile, copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { FormatError, UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import { frameRecord, type RecordPlace, readRecord, scanRecords } from "./tfrecord.ts";

/**
 * Copies all records (episodes) that are whole out of the shards of an RLDS set. After a damaged head nothing of that
 * shard can be found any more; a record with damaged bytes is left out alone.
 *
 * @returns episodes that were saved, and what was lost, shard by shard
 * @throws UserError when `to` is there already; FormatError when nothing could be saved
 */
export async function repairRlds(
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<{ readonly saved: number; readonly lost: readonly string[] }> {
  const target = resolve(to);
  if ((await readdir(target).catch(() => [])).length > 0)
    throw new UserError(`${to}: must be a new or empty folder. Choose another.`);
  const names = (await readdir(from)).sort();
  const folder = `${target}.${process.pid}.part`;
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw writeFailure(to, cause);
  });
  const lost: string[] = [];
  const lengths: number[] = [];
  try {
    for (const name of names) {
      if (!/\.tfrecord(-\d+-of-\d+)?$/.test(name)) {
        if (name.endsWith(".json")) await copyFile(join(from, name), join(folder, name));
        continue;
      }
      signal?.throwIfAborted();
      const shard = await saveShard(join(from, name), join(folder, name));
      lengths.push(shard.saved);
      lost.push(...shard.lost);
    }
    const saved = lengths.reduce((sum, length) => sum + length, 0);
    if (saved === 0) throw new FormatError(from, `no episode could be saved (${lost[0] ?? "there is none"}).`);
    await correctLengths(join(folder, "dataset_info.json"), lengths);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target);
    return { saved, lost };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function saveShard(from: string, to: string): Promise<{ saved: number; lost: string[] }> {
  const { records, problem } = await scanRecords(from);
  const lost = problem ? [problem.message] : [];
  await (await open(to, "w")).close();
  let saved = 0;
  for (const place of records) {
    const record = await readWhole(place, lost);
    if (!record) continue;
    await appendFile(to, frameRecord(record)).catch((cause) => {
      throw writeFailure(to, cause);
    });
    saved++;
  }
  return { saved, lost };
}

async function readWhole(place: RecordPlace, lost: string[]): Promise<Uint8Array | undefined> {
  try {
    return await readRecord(place);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    lost.push(error.message);
    return undefined;
  }
}

/** The metadata says how many episodes each shard has, split by split in the order of the files. */
async function correctLengths(path: string, lengths: readonly number[]): Promise<void> {
  const info = await readInfo(path);
  const queue = [...lengths];
  for (const split of info.splits ?? []) {
    const shards = split.shardLengths?.length ?? 0;
    if (queue.length >= shards) split.shardLengths = queue.splice(0, shards).map(String);
  }
  await writeFile(path, `${JSON.stringify(info, null, 4)}\n`);
}

type SetInfo = { splits?: { shardLengths?: string[] }[] };

async function readInfo(path: string): Promise<SetInfo> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as SetInfo;
  } catch (cause) {
    throw new FormatError(
      basename(path),
      "must be beside the shards as whole JSON: it names the splits. Copy it again.",
      {
        cause,
      },
    );
  }
}
