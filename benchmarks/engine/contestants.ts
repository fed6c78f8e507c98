/** @file The engines that the train-step benchmark compares, behind one interface. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createExecutor, flattenTree, type HostArray, type Tree, writeSafetensors } from "#engine/index.ts";
import { initVision, type VisionSize, visionBatch, visionStep } from "./vision-step.ts";

/** What a number of steps took: wall clock of each, and the processor time of all. */
export type Lap = { readonly ms: readonly number[]; readonly losses: readonly number[]; readonly cpuMs: number };

export type Contestant = {
  readonly name: string;
  /** Time from nothing to the first step's start. */
  readonly startMs: number;
  run(steps: number): Promise<Lap>;
  close(): Promise<void>;
};

/** Processor time of a process so far, ms; from Linux's accounting in hundredths of a second. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export async function startOnnxRuntime(size: VisionSize, threads: number): Promise<Contestant> {
  const start = performance.now();
  const executor = await createExecutor({ kind: "onnxruntime", threads });
  const step = await visionStep(executor, size);
  const startMs = performance.now() - start;
  const batch = visionBatch(size);
  const { pid } = executor as unknown as { pid: number };
  return {
    name: "onnxruntime",
    startMs,
    async run(steps) {
      const ms: number[] = [];
      const losses: number[] = [];
      const cpu = processorMs(pid);
      for (let index = 0; index < steps; index++) {
        const begin = performance.now();
        const { loss } = await step.run(batch, { learningRate: 1e-3 });
        ms.push(performance.now() - begin);
        losses.push(loss!.data[0]!);
      }
      return { ms, losses, cpuMs: processorMs(pid) - cpu };
    },
    close: () => executor.dispose(),
  };
}

async function writeProblem(folder: string, size: VisionSize): Promise<void> {
  const { patches, labels } = visionBatch(size);
  const { batch, tokens, inputs } = size;
  const arrays: [string, HostArray][] = [
    ["patches", { shape: [batch, tokens, inputs], dtype: "float32", data: patches }],
    ["labels", { shape: [batch], dtype: "int32", data: labels }],
  ];
  await writeSafetensors(join(folder, "batch.safetensors"), new Map(arrays));
  await writeSafetensors(
    join(folder, "weights.safetensors"),
    new Map(flattenTree(initVision(size) as Tree<HostArray>)),
  );
  writeFileSync(join(folder, "size.json"), JSON.stringify(size));
}

/** The first Python that has PyTorch. */
export const findTorch = (): string | undefined =>
  ["python3", "/usr/bin/python3"].find((python) => spawnSync(python, ["-c", "import torch"]).status === 0);

export async function startTorch(python: string, size: VisionSize, threads: number): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), "armature-torch-"));
  await writeProblem(folder, size);
  const start = performance.now();
  const script = fileURLToPath(new URL("./torch_vision.py", import.meta.url));
  const child = spawn(python, [script, folder, String(threads)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { version } = JSON.parse(await nextLine(lines)) as { version: string };
  return {
    name: `torch ${version}`,
    startMs: performance.now() - start,
    async run(steps) {
      child.stdin.write(`${steps}\n`);
      return JSON.parse(await nextLine(lines)) as Lap;
    },
    close: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error("PyTorch's process ended; its message is above");
  return value;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.stdin?.end();
  });
}
