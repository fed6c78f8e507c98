/**
 * @file The engine's benchmark: the same weights and batch on each engine and its competitors, in alternated rounds, losses
 * compared; the product's own presets; starts, memory, growth with size, waiting for data, and inference.
 */
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
import { checkLosses, median, type Rounds, ratio, rowsOf, runRounds } from "./rounds.ts";
import { measureStarts } from "./starts.ts";
import { type VisionSize, visionBatch, visionSizes, visionStep } from "./vision-step.ts";

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
  readonly log: (line: string) => void;
};

export const parts = ["a", "b", "m21", "presets", "starts", "growth", "inference", "data"] as const;
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
  else found.push(await startTorch(torch, size, threads));
  const jax = findPython("jax", options.jaxPython);
  if (jax === undefined) log("JAX is not there: pip install jax (Python 3.11 or newer), then --jaxPython.");
  else for (const tuned of [false, true]) found.push(await startJax(jax, size, threads, tuned));
  if (kinds.includes("tensorflow")) found.push(await startEager(size, defaultCacheFolder()));
  return found;
}

async function vision(title: string, size: VisionSize, options: TrainStepBenchmark, kinds: readonly EngineKind[]) {
  const own: Contestant[] = [];
  for (const kind of kinds) own.push(await startOwn(kind, visionProblem(size), options.threads));
  const rounds = await runRounds(title, [...own, ...(await competitors(size, options, kinds))], options);
  checkLosses(title, rounds);
  return rounds;
}

async function presetRows(options: TrainStepBenchmark, kinds: readonly EngineKind[]) {
  const rows: Record<string, unknown>[] = [];
  for (const { name, problem } of presetProblems()) {
    const own: Contestant[] = [];
    for (const kind of kinds) own.push(await startOwn(kind, problem, options.threads));
    const rounds = await runRounds(name, own, options);
    rows.push(...rowsOf(name, rounds));
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

const isTorch = (name: string) => name.startsWith("torch");
const isJax = (name: string) => name.startsWith("jax");

/** The few numbers that others read; ratios of time on step (a), below 1 is faster than the competitor. */
function summarise(rounds: Rounds | undefined, auto: EngineKind) {
  if (rounds === undefined) return {};
  return {
    auto,
    ortVsTorch: ratio(rounds, "onnxruntime", isTorch),
    tensorflowVsJax: ratio(rounds, "tensorflow", isJax),
    xlaVsJax: ratio(rounds, "xla", isJax),
    autoVsTorch: ratio(rounds, auto, isTorch),
  };
}

export async function benchmarkTrainStep(options: TrainStepBenchmark): Promise<Result> {
  const { threads, log, parts: wanted } = options;
  const kinds = ownKinds();
  const auto = await autoKind();
  const has = (part: Part) => wanted.includes(part);
  const rows: Record<string, unknown>[] = [];
  let onA: Rounds | undefined;

  const peak = await measurePeak(kinds, threads);
  log(`peak of this machine: ${(peak / 1e9).toFixed(0)} GFLOP/s on ${threads} threads`);
  rows.push({ kind: "peak", threads, flopsPerSecond: peak });
  for (const title of ["a", "b", "m21"] as const) {
    if (!has(title)) continue;
    const rounds = await vision(title, visionSizes[title], options, kinds);
    if (title === "a") onA = rounds;
    rows.push(...rowsOf(title, rounds));
  }
  if (has("presets")) rows.push(...(await presetRows(options, kinds)));
  if (has("starts")) rows.push(...(await measureStarts(kinds, visionSizes.a, threads, log)));
  if (has("growth")) {
    const secondsPerPoint = options.secondsPerLap;
    rows.push(...(await measureGrowth({ kind: auto, threads, secondsPerPoint, peak, log })));
  }
  if (has("inference")) {
    rows.push(...(await measureLatency({ kinds, threads, calls: 500, manyCalls: options.manyCalls, log })));
  }
  const dataTimeShare = has("data") ? await measureDataShare(auto, threads, 40) : undefined;

  const autoLaps = onA?.laps[onA.names.indexOf(auto)];
  const peakShare =
    autoLaps === undefined
      ? undefined
      : (await flopsOf(visionSizes.a)) / (median(autoLaps.map((lap) => median(lap.ms))) / 1000) / peak;
  return createResult({
    name: "engine",
    claim:
      "On the CPU, step (a), same weights, data and losses: tensorflow and xla take at most 1.0 times JAX's time (the " +
      "faster of its two starts in each round), onnxruntime at most 1.15 times PyTorch's, auto at most 0.77 times " +
      "PyTorch's; data take below 5 % of a step.",
    command: options.command,
    seeds: [0],
    rows,
    summary: { ...summarise(onA, auto), dataTimeShare, peakShare },
  });
}
