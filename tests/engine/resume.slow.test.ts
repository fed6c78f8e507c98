import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { createExecutor, readMetrics, train } from "#engine/index.ts";
import { smallRun, smallTrainStep, temporaryFolder } from "./small-training.ts";

const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const script = fileURLToPath(new URL("./train-killed.ts", import.meta.url));
const steps = 60;

const startTraining = (folder: string) =>
  spawn(process.execPath, ["--import", loader, script, folder, String(steps)], { stdio: ["ignore", "pipe", "pipe"] });

/** Resolves with the exit code, or the signal that ended the process. */
const ended = (child: ChildProcess) =>
  new Promise<number | string | null>((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));

const lastStep = `checkpoints/step-${String(steps).padStart(6, "0")}`;
const bytes = (folder: string, name: string) => readFileSync(join(folder, lastStep, name));

/** Rows without the numbers that time decides. */
const rows = (folder: string) =>
  readMetrics(join(folder, "metrics.jsonl")).map(({ step, loss, gradNorm, learningRate }) => [
    step,
    loss,
    gradNorm,
    learningRate,
  ]);

/** A process that has ended stays listed as Z until its parent asks after it. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.startsWith("Z");
  } catch {
    return false;
  }
}

describe("a training that is killed", () => {
  it("ends with the same bytes as one that is not, whenever it was killed", async () => {
    const whole = temporaryFolder();
    expect(await ended(startTraining(whole))).toBe(0);

    const folder = temporaryFolder();
    const rng = createRng("kill");
    let kills = 0;
    for (let done = false; !done; ) {
      const child = startTraining(folder);
      // After a random step, and a random moment in it: while it runs, logs, saves, renames or deletes.
      const killAfter = rng.integer(25);
      let seen = 0;
      child.stdout!.on("data", (lines: Buffer) => {
        seen += lines.toString().split("\n").length - 1;
        if (seen >= killAfter) setTimeout(() => child.kill("SIGKILL"), rng.uniform(0, 12));
      });
      const how = await ended(child);
      if (how === "SIGKILL") kills++;
      else expect(how).toBe(0);
      done = how === 0;
    }
    expect(kills).toBeGreaterThan(1);
    for (const name of ["model.safetensors", "optimizer.safetensors"]) {
      expect(bytes(folder, name).equals(bytes(whole, name))).toBe(true);
    }
    expect(rows(folder)).toEqual(rows(whole));
    expect(readdirSync(join(folder, "checkpoints")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("takes no engine process with it into its next life", async () => {
    const folder = temporaryFolder();
    const child = startTraining(folder);
    await new Promise((resolve) => child.stdout!.once("data", resolve));
    const hosts = execFileSync("ps", ["-eo", "pid,ppid,args"], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, parent, ...words]) => parent === String(child.pid) && words.join(" ").includes("onnx-host.ts"))
      .map(([pid]) => Number(pid));
    expect(hosts).toHaveLength(1);
    child.kill("SIGKILL");
    await ended(child);
    for (let waited = 0; waited < 200 && hosts.some(isRunning); waited++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(hosts.filter(isRunning)).toEqual([]);
  });
});

const canMount = (() => {
  try {
    const place = temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place], { stdio: "ignore" });
    execFileSync("umount", [place]);
    return true;
  } catch {
    return false;
  }
})();

(canMount ? describe : describe.skip)("a disk that is full (needs the right to mount)", () => {
  it("stops the training with one sentence, and what was saved can be gone on from", async () => {
    const place = temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=100k", "tmpfs", place]);
    const executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
    try {
      const folder = join(place, "run");
      mkdirSync(folder);
      const step = await smallTrainStep(executor);
      const filling = train({ ...smallRun(step, folder), steps: 400, checkpointEvery: 5, keep: 100 });
      await expect(filling).rejects.toThrow(
        /: the disk is full\. Free some space and run the command again; it goes on\.$/,
      );
      const saved = readdirSync(join(folder, "checkpoints"));
      expect(saved.length).toBeGreaterThan(1);
      expect(saved.filter((name) => name.endsWith(".tmp"))).toEqual([]);
      execFileSync("mount", ["-o", "remount,size=2m", place]);
      const resumed = await train({
        ...smallRun(await smallTrainStep(executor), folder),
        steps: 400,
        keep: 2,
        resume: true,
      });
      expect(resumed.step).toBe(400);
    } finally {
      await executor.dispose();
      execFileSync("umount", [place]);
    }
  });
});
