import { readFile } from "node:fs/promises";
import { writeWhole } from "#core/write-whole.ts";
import { decodeRollout, encodeRollout } from "./rollout.ts";
import type { RolloutLog } from "./scene/rollout-log.ts";

/** Writes `*.rollout`, whole or not at all. */
export async function writeRollout(path: string, log: RolloutLog): Promise<void> {
  writeWhole(path, encodeRollout(log));
}

/** @throws FormatError when the file is not a whole rollout */
export async function readRollout(path: string): Promise<RolloutLog> {
  return decodeRollout(await readFile(path), path);
}
