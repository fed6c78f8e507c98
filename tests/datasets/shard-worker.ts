/** @file A worker for the shard tests: `node --import tsx shard-worker.ts DIRECTORY SHARD OF`. */
import { writeFile } from "node:fs/promises";
import { runShard, type ShardJob } from "#datasets/shards.ts";

export const testJob: ShardJob = {
  name: "squares",
  hash: "h".repeat(64),
  items: Array.from({ length: 40 }, (_, index) => `item ${index}`),
};

/** Slow enough to be killed half-way through a file. */
export async function squareWork(item: string, path: string): Promise<void> {
  const number = Number(item.slice(5));
  await writeFile(path, `${number}`);
  await new Promise((resolve) => setTimeout(resolve, 15));
  await writeFile(path, `${item}: ${number * number}\n`);
}

const [, script, directory, shard, of] = process.argv;
if (script?.endsWith("shard-worker.ts") && directory)
  await runShard(directory, testJob, { shard: Number(shard), of: Number(of) }, squareWork);
