/** @file The checkpoints of one run: `step-000123` folders, and `best.json` that says which one is kept as the best. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { writeWhole } from "#core/write-whole.ts";

export type Saved = { readonly step: number; readonly path: string };

const bestSchema = z.strictObject({ step: z.number().int().min(0), metric: z.string(), value: z.number() });

/** Which checkpoint was best, by which metric. */
export type Best = z.infer<typeof bestSchema>;

export const checkpointPath = (folder: string, step: number) => join(folder, `step-${String(step).padStart(6, "0")}`);

/** All checkpoints, oldest first; folders under temporary names are none. */
export function listCheckpoints(folder: string): Saved[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .flatMap((name) => {
      const digits = /^step-(\d{6,})$/.exec(name)?.[1];
      return digits === undefined ? [] : [{ step: Number(digits), path: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** Path of the newest checkpoint. */
export const latestCheckpoint = (folder: string): Saved | undefined => listCheckpoints(folder).at(-1);

const bestFile = (folder: string) => join(folder, "best.json");

export const writeBest = (folder: string, best: Best): void =>
  writeWhole(bestFile(folder), `${JSON.stringify(best)}\n`);

/** @throws FormatError when `best.json` is not what this module wrote */
export function readBest(folder: string): Best | undefined {
  const path = bestFile(folder);
  if (!existsSync(path)) return undefined;
  try {
    return bestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new FormatError(path, "must name the best checkpoint. Delete the file; the next evaluation writes it.", {
      cause,
    });
  }
}

/** Path of the best checkpoint, or of the newest where none was evaluated. */
export function bestCheckpoint(folder: string): Saved | undefined {
  const best = readBest(folder);
  const saved = best === undefined ? undefined : listCheckpoints(folder).find(({ step }) => step === best.step);
  return saved ?? latestCheckpoint(folder);
}

/** Deletes the oldest checkpoints but `keep`, never the best; and what an interrupted run left under temporary names. */
export async function pruneCheckpoints(folder: string, keep: number): Promise<void> {
  const best = readBest(folder)?.step;
  const old = listCheckpoints(folder)
    .slice(0, -keep)
    .filter(({ step }) => step !== best);
  // Under its own name a folder is always whole, so it leaves that name before it is emptied.
  for (const { path } of old) await rename(path, `${path}.pruned.tmp`);
  await removeLeftovers(folder);
}

export async function removeLeftovers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const leftovers = readdirSync(folder).filter((name) => name.startsWith("step-") && name.endsWith(".tmp"));
  for (const name of leftovers) await rm(join(folder, name), { recursive: true, force: true });
}
