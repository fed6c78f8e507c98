/** @file Four processes convert one data set and are killed at random; what is merged must be what one process writes. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createResult, type Result } from "#core/results.ts";
import { createRng, type Rng } from "#core/rng.ts";

const program = fileURLToPath(new URL("../../bin/armature.js", import.meta.url));

export type ShardsBenchmark = {
  readonly from: string;
  /** Formats to convert to, each once. */
  readonly to: readonly string[];
  readonly workers: number;
  /** How often each worker is killed before it may finish. */
  readonly killsPerWorker: number;
  readonly seed: number;
  readonly command: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
};

type Ended = { readonly code: number | null; readonly seconds: number; readonly problem: string };

/** Runs one command to its end, or kills it with SIGKILL after a while. */
function run(args: readonly string[], signal: AbortSignal, killAfterMs?: number): Promise<Ended> {
  const start = performance.now();
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let problem = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    problem = (problem + text).slice(-2000);
  });
  const kill = () => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      resolve({ code, seconds: (performance.now() - start) / 1000, problem });
    });
  });
}

async function mustRun(args: readonly string[], signal: AbortSignal): Promise<Ended> {
  const ended = await run(args, signal);
  signal.throwIfAborted();
  if (ended.code !== 0) throw new Error(`armature ${args.join(" ")} ended with ${ended.code}: ${ended.problem}`);
  return ended;
}

/** Name and checksum of every file below a folder. */
function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return paths.map(
    (path) => `${relative(folder, path)} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`,
  );
}

/** One worker: killed `kills` times somewhere within the time that the work takes, then left to finish. */
async function worker(
  args: readonly string[],
  { kills, rng, spanMs, signal }: { kills: number; rng: Rng; spanMs: number; signal: AbortSignal },
): Promise<number> {
  let killed = 0;
  for (let attempt = 0; attempt < kills; attempt++) {
    const { code } = await run(args, signal, 300 + rng.integer(Math.max(1, Math.ceil(spanMs))));
    signal.throwIfAborted();
    if (code === 0) return killed;
    killed++;
  }
  await mustRun(args, signal);
  return killed;
}

export async function benchmarkShards(options: ShardsBenchmark): Promise<Result> {
  const { from, to, workers, killsPerWorker, seed, command, log, signal } = options;
  const rng = createRng(seed);
  const rows: Record<string, unknown>[] = [];
  for (const format of to) {
    const folder = mkdtempSync(join(tmpdir(), "armature-shards-"));
    try {
      // Formats that name a set after its folder must find the same name.
      const convert = (out: string) => ["datasets", "convert", from, join(folder, out, "set"), "--to", format];
      const single = await mustRun(convert("single"), signal);
      const started = performance.now();
      const killed = await Promise.all(
        Array.from({ length: workers }, (_, shard) =>
          worker([...convert("merged"), "--shard", `${shard}`, "--of", `${workers}`], {
            ...{ kills: killsPerWorker, rng, signal },
            spanMs: single.seconds * 1000,
          }),
        ),
      );
      await mustRun(["datasets", "merge", join(folder, "merged", "set")], signal);
      const [one, many] = [filesOf(join(folder, "single")), filesOf(join(folder, "merged"))];
      const differing = [...one.filter((file) => !many.includes(file)), ...many.filter((file) => !one.includes(file))];
      const kills = killed.reduce((sum, count) => sum + count, 0);
      rows.push({
        ...{ format, workers, kills, files: one.length, differing: differing.map((file) => file.split(" ")[0]) },
        singleSeconds: single.seconds,
        shardsSeconds: (performance.now() - started) / 1000,
        bytesEqual: differing.length === 0,
      });
      log(`${format}: ${kills} kills, ${one.length} files, ${differing.length} differ`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return createResult({
    name: "shards",
    claim:
      "A conversion by four processes that are each killed with SIGKILL at random, started again and merged ends with the same bytes as one process that nobody disturbs",
    command,
    seeds: [seed],
    rows,
    summary: {
      workers,
      kills: rows.reduce((sum, row) => sum + (row.kills as number), 0),
      bytesEqual: rows.every((row) => row.bytesEqual === true),
    },
  });
}
