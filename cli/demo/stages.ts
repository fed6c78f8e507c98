/** @file The demo's stages: each leaves a marker when it is whole, so that a second run takes it as it is. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "#core/write-whole.ts";
import type { Context } from "../command.ts";

export type Stage = { readonly name: string; readonly owns: readonly string[]; readonly resumes?: boolean };

type Marker = { readonly key: string; readonly seconds: number; readonly value: unknown };

export type Stages = {
  /**
   * Runs a stage, or takes what an earlier run left.
   *
   * @param settings whatever the outcome depends on besides the stages before; plain JSON
   * @param owns folders that belong to the stage. They are removed before it runs, but kept when `resumes` is set and the
   *   stage was begun with the same settings
   */
  run<T>(stage: Stage, settings: unknown, work: () => Promise<T>): Promise<T>;
  /** Seconds that each stage took when it was run. */
  seconds(): Readonly<Record<string, number>>;
};

function readMarker(path: string): Marker | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Marker;
  } catch {
    // A marker that cannot be read says nothing: the stage is run again.
    return undefined;
  }
}

/** @param folder where the markers are @param names all stages in order, for the heading */
export function createStages(folder: string, names: readonly string[], { log, clock, signal }: Context): Stages {
  mkdirSync(folder, { recursive: true });
  const seconds: Record<string, number> = {};
  let chain = "";
  return {
    async run({ name, owns, resumes = false }, settings, work) {
      signal.throwIfAborted();
      chain = createHash("sha256")
        .update(JSON.stringify([chain, name, settings]))
        .digest("hex")
        .slice(0, 16);
      const key = chain;
      const path = join(folder, `${name}.json`);
      const startedPath = join(folder, `${name}.started`);
      const marker = readMarker(path);
      const heading = `[${names.indexOf(name) + 1}/${names.length}] ${name}`;
      if (marker?.key === key) {
        log.info(`${heading}: as it is (took ${marker.seconds.toFixed(0)} s)`);
        seconds[name] = marker.seconds;
        return marker.value as Awaited<ReturnType<typeof work>>;
      }
      log.info(heading);
      const isResumed = resumes && existsSync(startedPath) && readFileSync(startedPath, "utf8") === key;
      if (!isResumed) for (const owned of owns) rmSync(owned, { recursive: true, force: true });
      rmSync(path, { force: true });
      writeWhole(startedPath, key);
      const startNs = clock.nowNs();
      const value = await work();
      signal.throwIfAborted();
      seconds[name] = Number(clock.nowNs() - startNs) / 1e9;
      writeWhole(path, JSON.stringify({ key, seconds: seconds[name], value } satisfies Marker));
      return value;
    },
    seconds: () => seconds,
  };
}
