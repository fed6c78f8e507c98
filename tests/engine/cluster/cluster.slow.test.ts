import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "@jest/globals";
import { environmentWith } from "#core/config/environment.ts";
import { describeEngine } from "../executors/installed-engines.ts";
import { temporaryFolder } from "../small-training.ts";

const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const script = fileURLToPath(new URL("./worker.ts", import.meta.url));
/** Of losses, between one process and several: sums are added in another order. */
const tolerance = { absolute: 0, relative: 1e-5 };
/** From a worker's end to the others' end. */
const stopLimitMs = 20_000;

type Row = { step: number; loss: number };
type End = { stopped: string; at: number; digest: string };
type Worker = {
  readonly child: ChildProcess;
  readonly rows: Row[];
  end(): Promise<{ code: number | null; said: string; last: End | undefined; ms: number }>;
};

const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

type Start = {
  readonly folder: string;
  readonly cacheFolder: string;
  readonly steps: number;
  readonly pauseMs?: number;
  readonly workers?: readonly string[];
  readonly index?: number;
  /** Words before the program: a network namespace. */
  readonly inside?: readonly string[];
};

function start({ folder, cacheFolder, steps, pauseMs = 0, workers, index = 0, inside = [] }: Start): Worker {
  const config = workers && JSON.stringify({ cluster: { worker: workers }, task: { type: "worker", index } });
  const words = [
    ...inside,
    process.execPath,
    "--import",
    loader,
    script,
    folder,
    String(steps),
    cacheFolder,
    String(pauseMs),
  ];
  const child = spawn(words[0]!, words.slice(1), {
    env: environmentWith({ TF_CONFIG: config ?? "" }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  const rows: Row[] = [];
  let last: End | undefined;
  let said = "";
  let left = "";
  child.stdout!.on("data", (chunk: Buffer) => {
    const lines = `${left}${chunk}`.split("\n");
    left = lines.pop()!;
    for (const line of lines) {
      const value = JSON.parse(line) as Row | End;
      if ("loss" in value) rows.push(value);
      else last = value;
    }
  });
  child.stderr!.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<{ code: number | null; ms: number }>((resolve) =>
    child.once("close", (code) => resolve({ code, ms: performance.now() })),
  );
  return { child, rows, end: async () => ({ ...(await ended), said, last }) };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const loopback = async (count: number) => (await freePorts(count)).map((port) => `127.0.0.1:${port}`);

const reached = (worker: Worker, step: number) =>
  new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (worker.rows.some((row) => row.step >= step)) {
        clearInterval(timer);
        resolve();
      }
    }, 20);
  });

const losses = (rows: readonly Row[]) => rows.map(({ loss }) => loss);

await describeEngine("tensorflow", (cacheFolder) => {
  const alone = async (steps: number) => {
    const worker = start({ folder: temporaryFolder(), cacheFolder, steps });
    const end = await worker.end();
    expect(end).toMatchObject({ code: 0, said: "" });
    return losses(worker.rows);
  };

  it.each([2, 4])(
    "%i processes train as one does with the same batches, and end with identical state",
    async (count) => {
      const steps = 12;
      const workers = await loopback(count);
      const folder = temporaryFolder();
      const all = workers.map((_, index) => start({ folder, cacheFolder, steps, workers, index }));
      const ends = await Promise.all(all.map((worker) => worker.end()));
      for (const { said, code } of ends) expect({ said, code }).toEqual({ said: "", code: 0 });
      expect(new Set(ends.map(({ last }) => last!.digest)).size).toBe(1);
      const want = await alone(steps);
      for (const { rows } of all) expect(losses(rows)).toBeAllClose(want, tolerance);
    },
  );

  it("others stop with one sentence when a worker is killed, and fewer go on from the last checkpoint", async () => {
    const steps = 30;
    const folder = temporaryFolder();
    const workers = await loopback(4);
    const all = workers.map((_, index) => start({ folder, cacheFolder, steps, workers, index, pauseMs: 50 }));
    await reached(all[0]!, 12);
    all[3]!.child.kill("SIGKILL");
    const killedMs = performance.now();
    const ends = await Promise.all(all.slice(0, 3).map((worker) => worker.end()));
    for (const { code, said, ms } of ends) {
      expect(ms - killedMs).toBeLessThan(stopLimitMs);
      expect(code).toBe(2);
      expect(said).toMatch(/^cluster: .*worker 3 \(127\.0\.0\.1:\d+\).* is gone, so this worker stops\. [^\n]*\n$/);
    }

    const fewer = await loopback(2);
    const rest = fewer.map((_, index) => start({ folder, cacheFolder, steps, workers: fewer, index }));
    const done = await Promise.all(rest.map((worker) => worker.end()));
    for (const { code, said } of done) expect({ code, said }).toEqual({ code: 0, said: "" });
    expect(rest[0]!.rows[0]!.step % 5).toBe(1);
    const want = await alone(steps);
    expect(losses(rest[0]!.rows)).toBeAllClose(want.slice(rest[0]!.rows[0]!.step - 1), tolerance);
    expect(done[0]!.last!.digest).toBe(done[1]!.last!.digest);
  });

  it("one worker that is asked to end takes all to the same step", async () => {
    const workers = await loopback(2);
    const folder = temporaryFolder();
    const all = workers.map((_, index) => start({ folder, cacheFolder, steps: 500, workers, index, pauseMs: 20 }));
    await reached(all[1]!, 5);
    all[1]!.child.kill("SIGTERM");
    const ends = await Promise.all(all.map((worker) => worker.end()));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(ends[0]!.last).toEqual({ ...ends[1]!.last, stopped: "early" });
    expect(ends[1]!.last!.stopped).toBe("aborted");
  });

  const canMakeNamespaces = spawnSync("ip", ["netns", "add", "armature-try"]).status === 0;
  if (canMakeNamespaces) execFileSync("ip", ["netns", "del", "armature-try"]);
  const title = canMakeNamespaces ? "in network namespaces" : "in network namespaces (skipped: needs root and ip)";
  (canMakeNamespaces ? describe : describe.skip)(title, () => {
    const names = ["armature-a", "armature-b"];
    const ip = (...words: string[]) => execFileSync("ip", words);
    const remove = () => {
      for (const name of names) spawnSync("ip", ["netns", "del", name]);
    };
    afterEach(remove);

    it("both sides of a cut link stop with one sentence, and one goes on from the checkpoint", async () => {
      remove();
      for (const name of names) ip("netns", "add", name);
      ip(
        "link",
        "add",
        "armature0",
        "netns",
        names[0]!,
        "type",
        "veth",
        "peer",
        "name",
        "armature1",
        "netns",
        names[1]!,
      );
      names.forEach((name, side) => {
        ip("-n", name, "addr", "add", `10.77.0.${side + 1}/24`, "dev", `armature${side}`);
        ip("-n", name, "link", "set", `armature${side}`, "up");
        ip("-n", name, "link", "set", "lo", "up");
      });
      const folder = temporaryFolder();
      const workers = ["10.77.0.1:2222", "10.77.0.2:2222"];
      const all = names.map((name, index) =>
        start({ folder, cacheFolder, steps: 200, workers, index, pauseMs: 50, inside: ["ip", "netns", "exec", name] }),
      );
      await reached(all[0]!, 12);
      ip("-n", names[1]!, "link", "set", "armature1", "down");
      const cutMs = performance.now();
      const ends = await Promise.all(all.map((worker) => worker.end()));
      ends.forEach(({ code, said, ms }, side) => {
        expect(ms - cutMs).toBeLessThan(stopLimitMs);
        expect(code).toBe(2);
        expect(said).toBe(
          `cluster: worker ${1 - side} (${workers[1 - side]}) is gone, so this worker stops. Start the run again with ` +
            "--resume on the workers that are there; it goes on from the last checkpoint.\n",
        );
      });
      const rest = start({ folder, cacheFolder, steps: 20 });
      expect((await rest.end()).last).toMatchObject({ stopped: "finished", at: 20 });
      expect(losses(rest.rows)).toBeAllClose((await alone(20)).slice(rest.rows[0]!.step - 1), tolerance);
    });
  });
});
