import { homedir } from "node:os";
import { join } from "node:path";
import { readEnvironment } from "#core/config/environment.ts";

/** Where engines that were set up and compiled programs are kept. */
export const defaultCacheFolder = (): string =>
  readEnvironment("ARMATURE_CACHE") ??
  join(readEnvironment("XDG_CACHE_HOME") ?? join(readEnvironment("HOME") ?? homedir(), ".cache"), "armature");
