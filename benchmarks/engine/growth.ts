/** @file How the time of a step grows with width, depth, tokens and batch, and what share of the machine's peak it uses. */

import { createExecutor, type EngineKind } from "#engine/index.ts";
import { countFlops } from "#engine/program/flops.ts";
import { median } from "./rounds.ts";
import { type VisionSize, visionBatch, visionSizes, visionStep } from "./vision-step.ts";

/** Around step (a), one dimension at a time. */
const sweeps: readonly { readonly along: string; readonly sizes: readonly VisionSize[] }[] = [
  { along: "width", sizes: [64, 128, 256, 512].map((width) => ({ ...visionSizes.a, width })) },
  { along: "depth", sizes: [1, 2, 4, 8].map((depth) => ({ ...visionSizes.a, depth })) },
  { along: "tokens", sizes: [16, 64, 256].map((tokens) => ({ ...visionSizes.a, tokens })) },
  { along: "batch", sizes: [1, 4, 16, 64].map((batch) => ({ ...visionSizes.a, batch })) },
];

export type GrowthOptions = {
  readonly kind: EngineKind;
  readonly threads: number;
  readonly secondsPerPoint: number;
  /** Operations per second. */
  readonly peak: number;
  readonly log: (line: string) => void;
};

export async function measureGrowth({ kind, threads, secondsPerPoint, peak, log }: GrowthOptions) {
  const executor = await createExecutor({ kind, threads });
  const rows: Record<string, unknown>[] = [];
  for (const { along, sizes } of sweeps) {
    for (const size of sizes) {
      const step = await visionStep(executor, size);
      const batch = visionBatch(size);
      const ms: number[] = [];
      const endMs = performance.now() + 1000 * secondsPerPoint;
      for (let index = 0; index < 5 || performance.now() < endMs; index++) {
        const start = performance.now();
        await step.run(batch, { learningRate: 1e-3 });
        if (index >= 2) ms.push(performance.now() - start);
      }
      const flops = countFlops(step.compiled.program);
      await step.dispose();
      const value = size[along as keyof VisionSize];
      const peakShare = flops / (median(ms) / 1000) / peak;
      rows.push({ kind: "growth", along, value, engine: kind, medianMs: median(ms), flops, peakShare });
      log(`growth: ${along} ${value}: ${median(ms).toFixed(1)} ms, ${(100 * peakShare).toFixed(0)} % of the peak`);
    }
  }
  await executor.dispose();
  return rows;
}
