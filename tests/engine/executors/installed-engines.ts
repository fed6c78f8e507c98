/** @file Engines that npm does not bring: tests use the one that was set up, or have pip bring it once into a folder of their own. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "@jest/globals";
import { defaultCacheFolder, type NativeEngine, recordedLibrary, setupTensorflow, setupXla } from "#engine/index.ts";

const setups = { xla: setupXla, tensorflow: setupTensorflow };
const downloadLimitMs = 240_000;

/** The cache folder in which the engine is set up, or why there is none. */
export async function findEngine(engine: NativeEngine): Promise<{ cacheFolder?: string; reason: string }> {
  const own = join(tmpdir(), "armature-test-engines");
  for (const cacheFolder of [defaultCacheFolder(), own]) {
    if (recordedLibrary(cacheFolder, engine) !== undefined) return { cacheFolder, reason: "" };
  }
  try {
    await setups[engine]({ cacheFolder: own, signal: AbortSignal.timeout(downloadLimitMs) });
    return { cacheFolder: own, reason: "" };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** `describe` that is skipped, with the reason in its title, where the engine cannot be had. */
export async function describeEngine(engine: NativeEngine, tests: (cacheFolder: string) => void): Promise<void> {
  const { cacheFolder, reason } = await findEngine(engine);
  if (cacheFolder !== undefined) describe(`engine ${engine}`, () => tests(cacheFolder));
  else describe.skip(`engine ${engine} (skipped: ${reason})`, () => tests(""));
}
