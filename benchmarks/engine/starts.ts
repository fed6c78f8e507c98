/** @file What happens before the first step: tracing, compiling, and how much of it a second start saves. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createExecutor, defaultCacheFolder, type EngineKind, type Executor, recordedLibrary } from "#engine/index.ts";
import { type VisionSize, visionBatch, visionStep } from "./vision-step.ts";

/** Times of one start: process and library, trace, compile or load, first step. */
async function oneStart(kind: EngineKind, size: VisionSize, threads: number, cacheFolder: string) {
  const begin = performance.now();
  const executor = await createExecutor({ kind, threads, cacheFolder });
  const processMs = performance.now() - begin;
  let prepareMs = 0;
  const timed: Executor = {
    ...executor,
    async prepare(task) {
      const start = performance.now();
      const program = await executor.prepare(task);
      prepareMs = performance.now() - start;
      return program;
    },
  };
  const start = performance.now();
  const step = await visionStep(timed, size);
  const traceMs = performance.now() - start - prepareMs;
  const batch = visionBatch(size);
  const first = performance.now();
  await step.run(batch, { learningRate: 1e-3 });
  // Some engines compile at the first run.
  const firstMs = performance.now() - first;
  const again = performance.now();
  await step.run(batch, { learningRate: 1e-3 });
  const stepMs = performance.now() - again;
  await executor.dispose();
  return { processMs, traceMs, compileMs: prepareMs + firstMs - stepMs };
}

/** A cold start with an empty cache, then a warm one. */
export async function measureStarts(
  kinds: readonly EngineKind[],
  size: VisionSize,
  threads: number,
  log: (line: string) => void,
) {
  const rows: Record<string, unknown>[] = [];
  for (const kind of kinds) {
    const cacheFolder = mkdtempSync(join(tmpdir(), "armature-start-"));
    mkdirSync(cacheFolder, { recursive: true });
    const engines = Object.fromEntries(
      (["tensorflow", "xla"] as const).map((engine) => [engine, recordedLibrary(defaultCacheFolder(), engine)]),
    );
    writeFileSync(join(cacheFolder, "engines.json"), JSON.stringify(engines));
    const cold = await oneStart(kind, size, threads, cacheFolder);
    const warm = await oneStart(kind, size, threads, cacheFolder);
    rmSync(cacheFolder, { recursive: true, force: true });
    rows.push({ kind: "start", engine: kind, ...cold, warmCompileMs: warm.compileMs, warmProcessMs: warm.processMs });
    log(
      `start: ${kind} process ${cold.processMs.toFixed(0)} ms, trace ${cold.traceMs.toFixed(0)} ms, ` +
        `compile ${cold.compileMs.toFixed(0)} ms, warm ${warm.compileMs.toFixed(0)} ms`,
    );
  }
  return rows;
}
