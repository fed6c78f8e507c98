import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { mergeShards, runShard } from "#datasets/shards.ts";
import { temporaryFolder } from "./make-video.ts";
import { squareWork, testJob } from "./shard-worker.ts";

const root = temporaryFolder();
const worker = fileURLToPath(new URL("shard-worker.ts", import.meta.url));
const workers = 4;

function start(directory: string, shard: number): { process: ChildProcess; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ["--import", "tsx", worker, directory, String(shard), String(workers)], {
    stdio: "ignore",
  });
  return { process: child, ended: new Promise((resolve) => child.on("exit", resolve)) };
}

describe("four workers that are killed at random", () => {
  it("end with the same bytes as one that is not", async () => {
    const rng = createRng("kills");
    const directory = join(root, "killed");
    let kills = 0;
    await Promise.all(
      Array.from({ length: workers }, async (_, shard) => {
        for (let attempt = 0; ; attempt++) {
          const { process: child, ended } = start(directory, shard);
          // The first three attempts are killed somewhere between start and end.
          const timer =
            attempt < 3 ? setTimeout(() => child.kill("SIGKILL") && kills++, 300 + rng.integer(600)) : undefined;
          const code = await ended;
          clearTimeout(timer);
          if (code === 0) return;
        }
      }),
    );
    const single = join(root, "single");
    await runShard(single, testJob, { shard: 0, of: 1 }, squareWork);
    const read = async (place: string) =>
      (await mergeShards(place, testJob)).map((path) => readFileSync(path, "utf8")).join("");
    expect(await read(directory)).toBe(await read(single));
    expect(kills).toBeGreaterThanOrEqual(4);
  });
});
