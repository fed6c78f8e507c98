/**
 * @file The engine's benchmark: the same weights and batch on each engine and its competitors, in alternated rounds, losses
 * compared; the product's own presets; starts, memory, growth with size, waiting for data, and inference.
 */
import { codeCommit, describeMachine } from "#core/provenance.ts";
import { createResult, type Result } from "#core/results.ts";
import { createExecutor, defaultCacheFolder, type EngineKind, recordedLibrary } from "#engine/index.ts";
import { countFlops } from "#engine/program/flops.ts";
import {
  type Contestant,
  findPython,
  startEager,
  startJax,
  startOwn,
  startTorch,
  visionProblem,
} from "./contestants.ts";
import { measureDataShare } from "./data-share.ts";
import { measureGrowth } from "./growth.ts";
import { measureLatency } from "./latency.ts";
import { measurePeak } from "./machine-peak.ts";
import { presetProblems } from "./preset-problems.ts";
import { checkLosses, rowsOf, runRounds } from "./rounds.ts";
import { measureStarts } from "./starts.ts";
import { type VisionSize, visionBatch, visionSizes, visionStep } from "./vision-step.ts";
import { measureWorkers } from "./workers.ts";

export type TrainStepBenchmark = {
  readonly rounds: number;
  /** Measured time of one engine in one round, seconds. */
  readonly secondsPerLap: number;
  readonly threads: number;
  /** Pythons that have the competitors; where empty they are looked for. */
  readonly torchPython: string;
  readonly jaxPython: string;
  /** Which parts to run. */
  readonly parts: readonly Part[];
  readonly manyCalls: number;
  readonly command: string;
  /** Stops between two parts. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

export const parts = ["a", "b", "m21", "presets", "starts", "growth", "inference", "data", "workers"] as const;
export type Part = (typeof parts)[number];

/** The product's engines that are set up here. */
function ownKinds(): EngineKind[] {
  const native = (["tensorflow", "xla"] as const).filter(
    (kind) => recordedLibrary(defaultCacheFolder(), kind) !== undefined,
  );
  return ["onnxruntime", ...native];
}

async function competitors(size: VisionSize, options: TrainStepBenchmark, kinds: readonly EngineKind[]) {
  const { threads, log } = options;
  const found: Contestant[] = [];
  const torch = findPython("torch", options.torchPython);
  if (torch === undefined) log("PyTorch is not there: pip install torch, or apt-get install python3-torch.");
  else for (const patient of [false, true]) found.push(await startTorch(torch, size, threads, patient));
  const jax = findPython("jax", options.jaxPython);
  if (jax === undefined) log("JAX is not there: pip install jax (Python 3.11 or newer), then --jaxPython.");
  else for (const tuned of [false, true]) found.push(await startJax(jax, size, threads, tuned));
  if (kinds.includes("tensorflow")) found.push(await startEager(size, defaultCacheFolder()));
  return found;
}

type Rows = Record<string, unknown>[];

async function vision(
  title: keyof typeof visionSizes,
  options: TrainStepBenchmark,
  kinds: readonly EngineKind[],
  peak: number,
): Promise<Rows> {
  const size = visionSizes[title];
  const flops = await flopsOf(size);
  const own: Contestant[] = [];
  for (const kind of kinds) own.push(await startOwn(kind, visionProblem(size), options.threads));
  const rounds = await runRounds(title, [...own, ...(await competitors(size, options, kinds))], options);
  checkLosses(title, rounds);
  return rowsOf(title, rounds).map((row) => ({ ...row, flops, peakShare: flops / (row.medianMs / 1000) / peak }));
}

async function presetRows(options: TrainStepBenchmark, kinds: readonly EngineKind[]): Promise<Rows> {
  const rows: Rows = [];
  for (const { name, problem } of presetProblems()) {
    const own: Contestant[] = [];
    for (const kind of kinds) own.push(await startOwn(kind, problem, options.threads));
    rows.push(...rowsOf(name, await runRounds(name, own, options)));
  }
  return rows;
}

/** The engine that `auto` takes here. */
async function autoKind(): Promise<EngineKind> {
  const executor = await createExecutor({ kind: "auto" });
  await executor.dispose();
  return executor.kind;
}

async function flopsOf(size: VisionSize): Promise<number> {
  const executor = await createExecutor({ kind: "onnxruntime" });
  const step = await visionStep(executor, size);
  await step.run(visionBatch(size), { learningRate: 1e-3 });
  await executor.dispose();
  return countFlops(step.compiled.program);
}

/** The few numbers that others read; ratios of time on step (a), below 1 is faster than the competitor. */
export function summarise(rows: Rows): Result["summary"] {
  const row = (wanted: Record<string, unknown>) =>
    rows.find((row) => Object.entries(wanted).every(([key, value]) => row[key] === value));
  const onA = (engine: unknown) => row({ kind: "train step", size: "a", engine });
  const auto = row({ kind: "machine" })?.auto;
  return {
    auto,
    ortVsTorch: onA("onnxruntime")?.vsTorch,
    tensorflowVsJax: onA("tensorflow")?.vsJax,
    xlaVsJax: onA("xla")?.vsJax,
    autoVsTorch: onA(auto)?.vsTorch,
    dataTimeShare: row({ kind: "data" })?.dataTimeShare,
    peakShare: onA(auto)?.peakShare,
  };
}

/** Measures the parts that are asked for; rows of other parts and of other machines stay as they are in `before`. */
export async function benchmarkTrainStep(options: TrainStepBenchmark, before?: Result): Promise<Result> {
  const { threads, log, secondsPerLap: secondsPerPoint, manyCalls, parts: wanted } = options;
  const kinds = ownKinds();
  const auto = await autoKind();
  const here = describeMachine();
  // Every row says where it was measured; those of an earlier form are of the file's machine.
  const known = (before?.rows ?? []).map((row) => ({ machine: before?.machine, ...row }) as Rows[number]);
  const earlier = known.filter((row) => row.machine === here);
  const elsewhere = known.filter((row) => row.machine !== here);
  const [machine] = earlier.filter((row) => row.kind === "machine" && row.threads === threads);
  // The most that was ever seen: other programs can only make it less.
  const peak = Math.max(await measurePeak(kinds, threads), Number(machine?.flopsPerSecond ?? 0));
  log(`peak of this machine: ${(peak / 1e9).toFixed(0)} GFLOP/s on ${threads} threads`);
  const measure: Readonly<Record<Part, () => Promise<Rows>>> = {
    a: () => vision("a", options, kinds, peak),
    b: () => vision("b", options, kinds, peak),
    m21: () => vision("m21", options, kinds, peak),
    presets: () => presetRows(options, kinds),
    starts: () => measureStarts(kinds, visionSizes.a, threads, log),
    growth: () => measureGrowth({ kind: auto, threads, secondsPerPoint, peak, log }),
    inference: () => measureLatency({ kinds, threads, calls: 500, manyCalls, log }),
    data: async () => [{ kind: "data", engine: auto, dataTimeShare: await measureDataShare(auto, threads, 40) }],
    workers: async () => (kinds.includes("tensorflow") ? await measureWorkers(options.rounds, log) : []),
  };
  const rows: Rows = [{ kind: "machine", threads, flopsPerSecond: peak, auto, machine: here }];
  for (const part of parts) {
    if (wanted.includes(part)) {
      options.signal.throwIfAborted();
      const measured = { part, commit: codeCommit(), date: new Date().toISOString(), machine: here };
      rows.push(...(await measure[part]()).map((row) => ({ ...row, ...measured })));
    } else rows.push(...earlier.filter((row) => row.part === part));
  }
  return createResult({
    name: "engine",
    claim:
      "On the CPU, step (a), same weights, data and losses: tensorflow and xla take at most 1.0 times JAX's time (the " +
      "faster of its two starts in each round), onnxruntime at most 1.15 times PyTorch's (likewise), auto at most 0.77 times " +
      "PyTorch's; data take below 5 % of a step.",
    // The file holds all parts, whichever call measured them.
    command: options.command.replace(/ --parts \S+/, ""),
    seeds: [0],
    rows: [...rows, ...elsewhere],
    summary: summarise(rows),
  });
}
