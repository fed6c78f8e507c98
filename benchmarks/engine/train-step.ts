/**
 * @file Train-step benchmark: the same weights and batch on each engine, in alternated rounds, losses compared. A ratio
 * is taken within a round, so that a machine that others use slows both sides.
 */
import { createResult, type Result } from "#core/results.ts";
import { type Contestant, findTorch, type Lap, startOnnxRuntime, startTorch } from "./contestants.ts";
import { type VisionSize, visionSizes } from "./vision-step.ts";

export type TrainStepBenchmark = {
  readonly sizes: readonly (keyof typeof visionSizes)[];
  readonly rounds: number;
  /** Measured time of one engine in one round, seconds. */
  readonly secondsPerLap: number;
  readonly threads: number;
  readonly command: string;
  readonly log: (line: string) => void;
};

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

type Row = {
  readonly size: string;
  readonly engine: string;
  readonly threads: number;
  readonly medianMs: number;
  readonly minMs: number;
  readonly processorMs: number;
  readonly startMs: number;
  /** Median over the rounds of this engine's time by PyTorch's. */
  readonly vsTorch: number | undefined;
  readonly vsTorchProcessor: number | undefined;
  readonly firstLoss: number;
  readonly tenthLoss: number;
};

const firstSteps = 10;

async function measure(name: string, size: VisionSize, options: TrainStepBenchmark): Promise<Row[]> {
  const { rounds, secondsPerLap, threads, log } = options;
  const contestants: Contestant[] = [await startOnnxRuntime(size, threads)];
  const python = findTorch();
  if (python !== undefined) contestants.push(await startTorch(python, size, threads));
  else log("PyTorch is not there: pip install torch, or apt-get install python3-torch.");

  const firsts: Lap[] = [];
  for (const contestant of contestants) firsts.push(await contestant.run(firstSteps));
  const steps = firsts.map(({ ms }) => Math.max(3, Math.ceil((1000 * secondsPerLap) / median(ms))));
  const laps: Lap[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another engine.
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (round + turn) % contestants.length;
      const lap = await contestants[index]!.run(steps[index]!);
      laps[index]!.push(lap);
      log(`${name} round ${round + 1}: ${contestants[index]!.name} ${median(lap.ms).toFixed(1)} ms`);
    }
  }
  for (const contestant of contestants) await contestant.close();

  const torch = contestants.findIndex((contestant) => contestant.name.startsWith("torch"));
  const perStep = (lap: Lap) => lap.cpuMs / lap.ms.length;
  return contestants.map(({ name: engine, startMs }, index): Row => {
    const own = laps[index]!;
    const against = (read: (lap: Lap) => number) =>
      torch < 0 ? undefined : median(own.map((lap, round) => read(lap) / read(laps[torch]![round]!)));
    return {
      size: name,
      engine,
      threads,
      medianMs: median(own.map((lap) => median(lap.ms))),
      minMs: Math.min(...own.flatMap((lap) => lap.ms)),
      processorMs: median(own.map(perStep)),
      startMs,
      vsTorch: against((lap) => median(lap.ms)),
      vsTorchProcessor: against(perStep),
      firstLoss: firsts[index]!.losses[0]!,
      tenthLoss: firsts[index]!.losses.at(-1)!,
    };
  });
}

/** @throws Error when two engines do not compute the same losses */
function checkLosses(rows: readonly Row[]): void {
  for (const row of rows) {
    const first = rows.find((other) => other.size === row.size)!;
    const far = (a: number, b: number) => Math.abs(a - b) > 1e-3 * Math.abs(a);
    if (far(first.firstLoss, row.firstLoss) || far(first.tenthLoss, row.tenthLoss)) {
      throw new Error(
        `train-step: ${row.engine} and ${first.engine} give other losses on ${row.size}: not the same step`,
      );
    }
  }
}

export async function benchmarkTrainStep(options: TrainStepBenchmark): Promise<Result> {
  const rows: Row[] = [];
  for (const name of options.sizes) rows.push(...(await measure(name, visionSizes[name], options)));
  checkLosses(rows);
  const ours = rows.find((row) => row.size === "a" && row.engine === "onnxruntime");
  return createResult({
    name: "engine",
    claim: "A train step on onnxruntime takes at most 1.15 times PyTorch's time on the CPU, step (a), same losses.",
    command: options.command,
    seeds: [0],
    rows,
    summary: { ortVsTorch: ours?.vsTorch, ortVsTorchProcessor: ours?.vsTorchProcessor },
  });
}
