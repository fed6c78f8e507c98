/** @file What an exchange between two workers on one machine costs: the numbers under docs/cluster.md's scaling model. */
import { flattenTree, type HostArray, sizeOf, type Tree } from "#engine/index.ts";
import { startWorker } from "./contestants.ts";
import { lapMs, median } from "./rounds.ts";
import { initVision, type VisionSize, visionSizes } from "./vision-step.ts";

const ports = [47_311, 47_312];
const workers = ports.map((port) => `127.0.0.1:${port}`);
const steps = 12;

/** Milliseconds per step of `count` workers with one thread each that share a batch. */
async function timeWorkers(size: VisionSize, count: number, rounds: number): Promise<number> {
  const all = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const config = { cluster: { worker: workers.slice(0, count) }, task: { type: "worker", index } };
      return startWorker(size, count === 1 ? "" : JSON.stringify(config));
    }),
  );
  const laps: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const [first] = await Promise.all(all.map((worker) => worker.run(steps)));
    if (round > 0) laps.push(lapMs(first!)); // the first one compiles
  }
  await Promise.all(all.map((worker) => worker.close()));
  return median(laps);
}

/** The same batch alone, half of it alone, and shared by two: what is over the half is the exchange and its waiting. */
export async function measureWorkers(rounds: number, log: (line: string) => void) {
  const rows: Record<string, unknown>[] = [];
  for (const name of ["a", "m21"] as const) {
    const size = visionSizes[name];
    const parameters = flattenTree(initVision(size) as Tree<HostArray>).reduce(
      (sum, [, { shape }]) => sum + sizeOf(shape),
      0,
    );
    const aloneMs = await timeWorkers(size, 1, rounds);
    const halfMs = await timeWorkers({ ...size, batch: size.batch / 2 }, 1, rounds);
    const sharedMs = await timeWorkers(size, 2, rounds);
    rows.push({ kind: "workers", size: name, parameters, bytes: 4 * parameters, aloneMs, halfMs, sharedMs });
    log(
      `workers: ${name} alone ${aloneMs.toFixed(1)} ms, half alone ${halfMs.toFixed(1)} ms, two ${sharedMs.toFixed(1)} ms`,
    );
  }
  return rows;
}
