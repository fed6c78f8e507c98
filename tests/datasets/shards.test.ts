import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { FormatError, UserError } from "#core/errors.ts";
import { mergeShards, runShard, type ShardJob } from "#datasets/shards.ts";
import { temporaryFolder } from "./make-video.ts";

const root = temporaryFolder();
let count = 0;
const fresh = () => join(root, `run-${count++}`);
const job: ShardJob = { name: "letters", hash: "a".repeat(64), items: ["a", "b", "c", "d", "e"] };
const work = async (item: string, path: string) => writeFileSync(path, item.repeat(3));
async function runAll(directory: string, of: number): Promise<void> {
  for (let shard = of - 1; shard >= 0; shard--) await runShard(directory, job, { shard, of }, work);
}
const contents = async (directory: string) =>
  (await mergeShards(directory, job)).map((path) => readFileSync(path, "utf8"));

describe("shards", () => {
  it.each([1, 2, 5, 7])("of %i workers merge to the same results in the order of the items", async (of) => {
    const directory = fresh();
    await runAll(directory, of);
    expect(await contents(directory)).toEqual(["aaa", "bbb", "ccc", "ddd", "eee"]);
  });

  it("do not repeat what is done, and go on after a failure", async () => {
    const directory = fresh();
    const done: string[] = [];
    const failing = async (item: string, path: string) => {
      if (item === "c" && done.length === 1) throw new Error("node lost");
      done.push(item);
      await work(item, path);
    };
    await expect(runShard(directory, job, { shard: 0, of: 2 }, failing)).rejects.toThrow("node lost");
    expect(readdirSync(directory).filter((name) => name.endsWith(".part") || name.endsWith(".json"))).toEqual([]);
    done.push("retry");
    await runShard(directory, job, { shard: 0, of: 2 }, failing);
    await runShard(directory, job, { shard: 0, of: 2 }, failing);
    expect(done).toEqual(["a", "retry", "c", "e"]);
  });

  it("are refused when some are missing, doubled, of another split, another job or other items", async () => {
    const directory = fresh();
    await expect(mergeShards(directory, job)).rejects.toThrow('holds no finished shard of job "letters"');
    await runShard(directory, job, { shard: 1, of: 3 }, work);
    await expect(mergeShards(directory, job)).rejects.toThrow("2 of 3 shards are missing: 0, 2");
    await runAll(directory, 3);
    await expect(mergeShards(directory, { ...job, hash: "b".repeat(64) })).rejects.toThrow("holds no finished shard");
    await expect(mergeShards(directory, { ...job, items: ["a", "x", "c", "d", "e"] })).rejects.toThrow(
      'item 1 must be "x", got "b"',
    );
    await expect(mergeShards(directory, { ...job, items: [...job.items, "f"] })).rejects.toThrow(
      'item "f" was done by no shard',
    );
    const manifest = join(directory, "shard-00001-of-00003.json");
    const doubled = JSON.parse(readFileSync(manifest, "utf8"));
    doubled.entries.push(doubled.entries[0]);
    writeFileSync(manifest, JSON.stringify(doubled));
    await expect(mergeShards(directory, job)).rejects.toThrow('item "b" was done by two shards');
    await runShard(directory, job, { shard: 0, of: 2 }, work);
    await expect(mergeShards(directory, job)).rejects.toThrow("got shards of 2 and of 3");
    await expect(runShard(directory, job, { shard: 3, of: 3 }, work)).rejects.toThrow(UserError);
  });

  it("are refused when a result was changed, cut or removed, or a manifest is none", async () => {
    const whole = fresh();
    await runAll(whole, 2);
    const spoil = async (change: (result: string, manifest: string) => void, message: string) => {
      const directory = fresh();
      cpSync(whole, directory, { recursive: true });
      const result = readdirSync(directory).find((name) => name.startsWith("000002"))!;
      change(join(directory, result), join(directory, "shard-00000-of-00002.json"));
      await expect(mergeShards(directory, job)).rejects.toThrow(FormatError);
      await expect(mergeShards(directory, job)).rejects.toThrow(message);
    };
    await spoil((result) => writeFileSync(result, "CCC"), "is not what its manifest says (checksum)");
    await spoil((result) => writeFileSync(result, "c"), "must be a result of 3 bytes, got 1");
    await spoil((result) => rmSync(result), "must be a result of 3 bytes, got no file");
    await spoil((_, manifest) => writeFileSync(manifest, "{"), "must be the manifest of a shard");
  });
});
