/**
 * @file Alternated rounds: every contestant runs in every round, each round begins with another one, and ratios are taken
 * within a round, so that a machine that others use slows both sides.
 */
import type { Contestant, Lap } from "./contestants.ts";

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export type RoundOptions = {
  readonly rounds: number;
  /** Measured time of one contestant in one round, seconds. */
  readonly secondsPerLap: number;
  /** Stops between two laps. */
  readonly signal?: AbortSignal;
  readonly log: (line: string) => void;
};

export type Rounds = {
  readonly names: readonly string[];
  /** Per contestant: the first steps, which compile and warm up, and a lap per round. */
  readonly first: readonly Lap[];
  readonly laps: readonly (readonly Lap[])[];
  readonly startMs: readonly number[];
  readonly peakMiB: readonly number[];
};

const firstSteps = 10;
const fewestSteps = 3;

/** Runs all rounds and closes the contestants, also when a lap fails or the signal fires. */
export async function runRounds(
  title: string,
  contestants: readonly Contestant[],
  options: RoundOptions,
): Promise<Rounds> {
  try {
    return await playRounds(title, contestants, options);
  } finally {
    for (const contestant of contestants) await contestant.close();
  }
}

async function playRounds(
  title: string,
  contestants: readonly Contestant[],
  { rounds, secondsPerLap, signal, log }: RoundOptions,
): Promise<Rounds> {
  const first: Lap[] = [];
  for (const contestant of contestants) first.push(await contestant.run(firstSteps));
  const steps = first.map(({ ms }) => Math.max(fewestSteps, Math.ceil((1000 * secondsPerLap) / median(ms))));
  const laps: Lap[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      signal?.throwIfAborted();
      const index = (round + turn) % contestants.length;
      laps[index]!.push(await contestants[index]!.run(steps[index]!));
    }
    const times = contestants.map(({ name }, index) => `${name} ${median(laps[index]![round]!.ms).toFixed(1)}`);
    log(`${title} round ${round + 1} of ${rounds}, ms: ${times.join(", ")}`);
  }
  const peakMiB = contestants.map((contestant) => contestant.peakMiB());
  const names = contestants.map(({ name }) => name);
  return { names, first, laps, startMs: contestants.map(({ startMs }) => startMs), peakMiB };
}

export const lapMs = (lap: Lap) => median(lap.ms);

/** Median over the rounds of one contestant's time by the fastest of others in the same round. */
export function ratio({ names, laps }: Rounds, ours: string, isOther: (name: string) => boolean): number | undefined {
  const own = laps[names.indexOf(ours)];
  const others = laps.filter((_, index) => isOther(names[index]!));
  if (own === undefined || others.length === 0) return undefined;
  return median(own.map((lap, round) => lapMs(lap) / Math.min(...others.map((other) => lapMs(other[round]!)))));
}

/** @throws Error when two contestants do not compute the same losses */
export function checkLosses(title: string, { names, first }: Rounds): void {
  const [reference] = first;
  first.forEach(({ losses }, index) => {
    losses.forEach((loss, step) => {
      const want = reference!.losses[step]!;
      if (Math.abs(loss - want) <= 1e-3 * Math.abs(want)) return;
      throw new Error(
        `train-step ${title}: step ${step + 1} has loss ${loss} on ${names[index]} and ${want} on ${names[0]}: not the same step`,
      );
    });
  });
}

export function rowsOf(title: string, rounds: Rounds) {
  const { names, first, laps, startMs, peakMiB } = rounds;
  return names.map((engine, index) => ({
    kind: "train step",
    size: title,
    engine,
    medianMs: median(laps[index]!.map(lapMs)),
    minMs: Math.min(...laps[index]!.flatMap((lap) => lap.ms)),
    processorMs: median(laps[index]!.map((lap) => lap.cpuMs / lap.ms.length)),
    startMs: startMs[index]!,
    firstStepMs: first[index]!.ms[0]!,
    peakMiB: peakMiB[index]!,
    vsTorch: ratio(rounds, engine, (name) => name.startsWith("torch")),
    vsJax: ratio(rounds, engine, (name) => name.startsWith("jax")),
    firstLoss: first[index]!.losses[0]!,
    tenthLoss: first[index]!.losses.at(-1)!,
  }));
}
