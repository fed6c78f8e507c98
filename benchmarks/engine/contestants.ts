/** @file The engines that the train-step benchmark compares, behind one interface. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { environmentWith } from "#core/config/environment.ts";
import {
  createExecutor,
  type EngineKind,
  flattenTree,
  type HostArray,
  type HostInput,
  type TrainStep,
  type Tree,
  writeSafetensors,
} from "#engine/index.ts";
import { initVision, type VisionSize, visionBatch, visionStep } from "./vision-step.ts";

/** What a number of steps took: wall clock of each, and the processor time of all. */
export type Lap = { readonly ms: readonly number[]; readonly losses: readonly number[]; readonly cpuMs: number };

export type Contestant = {
  readonly name: string;
  /** Time until the first step can start: processes, libraries, tracing, compiling where it is done ahead. */
  readonly startMs: number;
  run(steps: number): Promise<Lap>;
  /** Largest resident memory so far of the process that computes, MiB. */
  peakMiB(): number;
  close(): Promise<void>;
};

/** Processor time of a process so far, ms; from Linux's accounting in hundredths of a second. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export const peakMiB = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

export type Problem = {
  readonly create: (executor: Awaited<ReturnType<typeof createExecutor>>) => Promise<TrainStep>;
  readonly batch: Readonly<Record<string, HostInput>>;
};

export const visionProblem = (size: VisionSize): Problem => ({
  create: (executor) => visionStep(executor, size),
  batch: visionBatch(size),
});

/** One of the product's own engines. */
export async function startOwn(kind: EngineKind, problem: Problem, threads: number): Promise<Contestant> {
  const start = performance.now();
  const executor = await createExecutor({ kind, threads });
  const step = await problem.create(executor);
  const startMs = performance.now() - start;
  const pid = executor.pid!;
  return {
    name: kind,
    startMs,
    async run(steps) {
      const ms: number[] = [];
      const losses: number[] = [];
      const cpu = processorMs(pid);
      for (let index = 0; index < steps; index++) {
        const begin = performance.now();
        const { loss } = await step.run(problem.batch, { learningRate: 1e-3 });
        ms.push(performance.now() - begin);
        losses.push(loss!.data[0]!);
      }
      return { ms, losses, cpuMs: processorMs(pid) - cpu };
    },
    peakMiB: () => peakMiB(pid),
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

const beside = (file: string) => fileURLToPath(new URL(`./${file}`, import.meta.url));

/** The first Python that has a package; `given` is tried before the others. */
export const findPython = (module: string, given: string): string | undefined =>
  [given, "python3", "/usr/bin/python3", "python3.12", "python3.13"].find(
    (python) => python !== "" && spawnSync(python, ["-c", `import ${module}`]).status === 0,
  );

export type External = {
  readonly name: string;
  readonly words: (folder: string) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Writes what the program reads. */
  readonly prepare?: (folder: string) => Promise<void>;
};

/** A program of its own that answers numbers of steps with laps. */
export async function startExternal({
  name,
  words,
  environment = {},
  prepare = async () => {},
}: External): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), "armature-step-"));
  await prepare(folder);
  const start = performance.now();
  const [program, ...rest] = words(folder);
  const child = spawn(program!, rest, { stdio: ["pipe", "pipe", "inherit"], env: environmentWith(environment) });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${name}: its process ended; its message is above`);
    return value as string;
  };
  const { version } = JSON.parse(await next()) as { version: string };
  return {
    name: `${name} ${version}`,
    startMs: performance.now() - start,
    async run(steps) {
      child.stdin.write(`${steps}\n`);
      return JSON.parse(await next()) as Lap;
    },
    peakMiB: () => peakMiB(child.pid!),
    close: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.stdin?.end();
  });
}

/** @param patient waiting threads sleep: slower by themselves, faster where others use the machine too */
export const startTorch = (python: string, size: VisionSize, threads: number, patient: boolean): Promise<Contestant> =>
  startExternal({
    name: patient ? "torch, passive waits" : "torch",
    words: (folder) => [python, beside("torch_vision.py"), folder, String(threads)],
    environment: patient ? { OMP_WAIT_POLICY: "passive" } : {},
    prepare: (folder) => writeProblem(folder, size),
  });

export const jaxEnvironment = (threads: number, tuned: boolean): Record<string, string> => ({
  JAX_PLATFORMS: "cpu",
  NPROC: String(threads),
  PJRT_NPROC: String(threads),
  ...(tuned ? { GLIBC_TUNABLES: "glibc.malloc.hugetlb=1" } : {}),
});

/** @param tuned with the malloc setting that this product's engines start with */
export const startJax = (python: string, size: VisionSize, threads: number, tuned: boolean): Promise<Contestant> =>
  startExternal({
    name: tuned ? "jax, tuned malloc" : "jax",
    words: (folder) => [python, beside("jax_vision.py"), folder],
    environment: jaxEnvironment(threads, tuned),
    prepare: (folder) => writeProblem(folder, size),
  });

const script = (file: string, ...words: string[]) => {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return () => [process.execPath, "--import", loader, beside(file), ...words];
};

/** TensorFlow.js run eagerly by TensorFlow, as @tensorflow/tfjs-node-gpu does it. */
export const startEager = (size: VisionSize, cacheFolder: string): Promise<Contestant> =>
  startExternal({
    name: "tfjs eager, TensorFlow",
    words: script("eager-vision.ts", JSON.stringify(size), cacheFolder),
  });

/** One of several processes that train together, with one thread. @param cluster TF_CONFIG; empty: alone */
export const startWorker = (size: VisionSize, cluster: string): Promise<Contestant> =>
  startExternal({
    name: "worker",
    words: script("worker-vision.ts", JSON.stringify(size)),
    environment: { TF_CONFIG: cluster },
  });
