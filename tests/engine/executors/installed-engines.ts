/** @file Tests of engines that npm does not bring run where the engine was set up, and say so where it was not. */
import { describe } from "@jest/globals";
import { defaultCacheFolder, type NativeEngine, recordedLibrary } from "#engine/index.ts";

/** `describe` that is skipped, with the line to type as its title, where the engine is missing. */
export function describeEngine(engine: NativeEngine, tests: () => void): void {
  const isThere = recordedLibrary(defaultCacheFolder(), engine) !== undefined;
  if (isThere) describe(`engine ${engine}`, tests);
  else describe.skip(`engine ${engine} (skipped: run "npx armature engine setup ${engine}")`, tests);
}
