/** @file Where the shards of a command lie, and what the merge must know of it. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FormatError, UserError } from "#core/errors.ts";
import { writeWhole } from "#core/write-whole.ts";

const jobSchema = z.strictObject({
  command: z.string(),
  /** The command's configuration, without the number of the shard. */
  config: z.record(z.string(), z.unknown()),
});

export type ShardCommand = z.infer<typeof jobSchema>;

export const shardFolder = (out: string): string => `${out.replace(/\/+$/, "")}.shards`;

/** Says what the shards beside `out` are made of; every worker writes the same. */
export async function describeShards(out: string, job: ShardCommand): Promise<string> {
  const folder = shardFolder(out);
  await mkdir(folder, { recursive: true });
  writeWhole(join(folder, "job.json"), `${JSON.stringify(job, null, 2)}\n`);
  return folder;
}

/** @throws UserError when there are no shards beside `out`; FormatError when their description is damaged */
export async function readShardCommand(out: string): Promise<ShardCommand> {
  const path = join(shardFolder(out), "job.json");
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new UserError(`${shardFolder(out)}: must hold shards, but has no job.json. Run the shards first.`, { cause });
  });
  try {
    return jobSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FormatError(path, "must describe shards, but is damaged. Run one shard again.", { cause });
  }
}
