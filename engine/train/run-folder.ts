/**
 * @file `runs/<name>/`: the resolved config, `metrics.jsonl`, TensorBoard's event files, `manifest.json` (what was run,
 * when and where, one entry per session) and `checkpoints/`.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, FormatError } from "#core/errors.ts";
import { codeCommit, codeVersion, describeMachine } from "#core/provenance.ts";
import { writeFailure, writeWhole } from "#core/write-whole.ts";
import { latestCheckpoint, removeLeftovers, type Saved } from "../checkpoint/checkpoint-folder.ts";
import { createEventFile, type EventFile } from "../metrics/event-file.ts";
import { appendMetrics, type MetricsRow, rewindMetrics } from "../metrics/metrics-file.ts";
import { lockRun } from "./run-lock.ts";

const sessionSchema = z.strictObject({
  date: z.string(),
  command: z.string(),
  fromStep: z.number().int(),
  code: z.string(),
  engine: z.string(),
  machine: z.string(),
});
const manifestSchema = z.strictObject({
  seed: z.number().int(),
  dataHash: z.string(),
  parents: z.array(z.string()),
  sessions: z.array(sessionSchema),
});

export type RunOptions = {
  readonly folder: string;
  /** The resolved configuration, a plain JSON value. */
  readonly config: unknown;
  /** The command line as it was typed. */
  readonly command: string;
  readonly engine: string;
  readonly seed: number;
  readonly dataHash: string;
  readonly parents: readonly string[];
  /** Go on from the newest checkpoint where there is one; otherwise a folder that holds a run is refused. */
  readonly resume: boolean;
  readonly now: () => Date;
};

export type Run = {
  readonly folder: string;
  readonly checkpoints: string;
  readonly resumedFrom: Saved | undefined;
  /** Keys of the configuration that are not as they were when the run began. */
  readonly changed: readonly string[];
  readonly code: string;
  /** Appends to `metrics.jsonl` and the event file. */
  log(row: MetricsRow): void;
  close(): void;
};

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function readManifest(path: string): z.infer<typeof manifestSchema> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new FormatError(path, "must describe a run of this program. Choose another run name.", { cause });
  }
}

/** @throws ConfigError when seed or data are not those that the run began with */
function writeManifest(options: RunOptions, fromStep: number, code: string): void {
  const { folder, command, engine, seed, dataHash, parents, now } = options;
  const path = join(folder, "manifest.json");
  const earlier = fromStep > 0 ? readManifest(path) : undefined;
  for (const [name, was, is] of [
    ["data", earlier?.dataHash, dataHash],
    ["seed", earlier?.seed, seed],
  ] as const) {
    if (earlier === undefined || was === is) continue;
    throw new ConfigError(
      `${folder}: the run began with ${name} ${was}, got ${is}. Resume with the same ${name}, or start a new run.`,
    );
  }
  const session = { date: now().toISOString(), command, fromStep, code, engine, machine: describeMachine() };
  writeWhole(path, json({ seed, dataHash, parents, sessions: [...(earlier?.sessions ?? []), session] }));
}

/** Paths of the values in which two JSON values differ: `optimizer.clipNorm`. */
function changedKeys(before: unknown, after: unknown, path = ""): string[] {
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isObject(before) || !isObject(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
  const [a, b] = [before, after] as [Record<string, unknown>, Record<string, unknown>];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => changedKeys(a[key], b[key], path === "" ? key : `${path}.${key}`));
}

function readConfig(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // gone or cut: it is written anew
  }
}

/**
 * Opens a new run folder, or an old one to go on.
 *
 * @throws ConfigError when another trainer uses it, when it holds a run and `resume` is false, or when seed or data changed
 */
export async function openRun(options: RunOptions): Promise<Run> {
  const { folder, config, resume, now } = options;
  const checkpoints = join(folder, "checkpoints");
  try {
    mkdirSync(checkpoints, { recursive: true });
  } catch (cause) {
    throw writeFailure(folder, cause);
  }
  const release = lockRun(folder);
  try {
    const newest = latestCheckpoint(checkpoints);
    if (newest !== undefined && !resume) {
      throw new ConfigError(
        `${folder}: holds a run of ${newest.step} steps already. Add --resume to go on, or choose another run name.`,
      );
    }
    const fromStep = newest?.step ?? 0;
    const code = `${codeVersion()} ${codeCommit()}`;
    const metrics = join(folder, "metrics.jsonl");
    writeManifest(options, fromStep, code);
    const configFile = join(folder, "config.json");
    const before = newest === undefined ? undefined : readConfig(configFile);
    const changed = before === undefined ? [] : changedKeys(before, JSON.parse(json(config)));
    writeWhole(configFile, json(config));
    await removeLeftovers(checkpoints);
    rewindMetrics(metrics, fromStep);
    const seconds = () => now().getTime() / 1000;
    const events: EventFile = createEventFile({ directory: folder, fromStep: fromStep + 1, now: seconds });
    return {
      folder,
      checkpoints,
      resumedFrom: newest,
      changed,
      code,
      log(row) {
        appendMetrics(metrics, row);
        const { step, ...values } = row;
        events.scalars(step, values as Record<string, number>);
      },
      close: release,
    };
  } catch (cause) {
    release();
    throw cause;
  }
}

/** The run as a worker sees it that leaves the folder to the first one: nothing is read and nothing written. */
export const followRun = (folder: string): Run => ({
  folder,
  checkpoints: join(folder, "checkpoints"),
  resumedFrom: undefined,
  changed: [],
  code: "",
  log: () => {},
  close: () => {},
});
