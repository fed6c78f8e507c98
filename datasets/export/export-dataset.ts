/** @file A data set as the training code of others wants it, whole or not at all. */
import { readdir, rename, rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { EpisodeReader } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { writeFailure } from "#core/write-whole.ts";
import type { Exported } from "./exported.ts";
import { exportGr00t } from "./gr00t.ts";
import { exportLapa } from "./lapa.ts";
import { exportOpenpi } from "./openpi.ts";
import { exportOpenvla } from "./openvla.ts";

export const exportTargets = ["openpi", "openvla", "gr00t", "lapa"] as const;
export type ExportTarget = (typeof exportTargets)[number];

export type ExportOptions = {
  readonly target: ExportTarget;
  /** Latent labels, for LAPA's latent pretraining. */
  readonly labels?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/**
 * Writes `reader`'s episodes for one trainer, with the files that it needs beside them.
 *
 * @throws UserError when the place is taken; ConfigError when the trainer needs a feature that the set has not
 */
export async function exportDataset(reader: EpisodeReader, path: string, options: ExportOptions): Promise<Exported> {
  const { target, labels, ...callbacks } = options;
  const place = resolve(path);
  if ((await readdir(place).catch(() => [])).length > 0)
    throw new UserError(`${path}: must be a new or empty folder. Choose another.`);
  const part = `${place}.${process.pid}.part`;
  const name = basename(place).replaceAll(/\W+/g, "_").toLowerCase();
  const exporters = {
    openpi: () => exportOpenpi(reader, part, { ...callbacks, name }),
    openvla: () => exportOpenvla(reader, part, { ...callbacks, name }),
    gr00t: () => exportGr00t(reader, part, callbacks),
    lapa: () => exportLapa(reader, part, { ...callbacks, ...(labels === undefined ? {} : { labels }) }),
  };
  try {
    const exported = await exporters[target]();
    await rm(place, { recursive: true, force: true });
    await rename(part, place).catch((cause) => {
      throw writeFailure(path, cause);
    });
    return exported;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}
