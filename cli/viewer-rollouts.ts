import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { FormatError } from "#core/errors.ts";
import { positionsOf } from "#sim-viewer/src/poses.ts";
import { decodeRollout } from "#sim-viewer/src/rollout-file.ts";
import { findEffector, toSeries } from "#sim-viewer/src/signals.ts";
import type { EpisodeSummary, Series } from "#sim-viewer/src/viewer-protocol.ts";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { safePath } from "./viewer-server.ts";

/** @file `*.rollout` files as the viewer lists and opens them. */

/** @throws FormatError when the file cannot be read or does not hold a whole log */
export async function readRollout(path: string): Promise<RolloutLog> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new FormatError(path, "expected a readable file. Check its permissions.", { cause });
  });
  try {
    return decodeRollout(bytes);
  } catch (cause) {
    throw new FormatError(path, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

export const rolloutId = (path: string) => basename(path, extname(path));

function summarize(path: string, log: RolloutLog): EpisodeSummary {
  const { instance } = log;
  return {
    id: rolloutId(path),
    label: rolloutId(path),
    instruction: instance.instruction,
    frames: log.frames,
    rateHz: log.rateHz,
    success: log.success,
    reasons: log.reasons,
    policyId: log.policyId,
    task: instance.task,
    split: instance.split,
    instance: instance.hash,
  };
}

function summarizeBroken(path: string, problem: string): EpisodeSummary {
  return {
    id: rolloutId(path),
    label: rolloutId(path),
    instruction: "",
    frames: 0,
    rateHz: 0,
    success: null,
    reasons: [],
    policyId: "",
    task: "",
    split: "",
    instance: "",
    problem,
  };
}

export type RolloutLister = (path: string) => Promise<EpisodeSummary>;

/** Summaries by path, read again only when the file changed. A broken file becomes a summary with a `problem`. */
export function createRolloutLister(): RolloutLister {
  const known = new Map<string, { key: string; summary: EpisodeSummary }>();
  return async (path) => {
    const info = await stat(path).catch(() => null);
    const key = `${info?.mtimeMs}/${info?.size}`;
    const cached = known.get(path);
    if (cached?.key === key) return cached.summary;
    const summary = await readRollout(path).then(
      (log) => summarize(path, log),
      (error: unknown) => summarizeBroken(path, error instanceof Error ? error.message : String(error)),
    );
    known.set(path, { key, summary });
    return summary;
  };
}

/** The numbers of a rollout worth plotting: actions as sent, and where the effector was. */
export function rolloutSeries(log: RolloutLog): Series[] {
  const series = [toSeries("action", log.actionNames, log.actions)];
  const effector = findEffector(log.scene);
  if (effector >= 0) {
    const positions = positionsOf(log.geomPoses, log.scene.geoms.length, effector);
    series.push(toSeries(`${log.scene.geoms[effector]!.name} position (m)`, ["x", "y", "z"], positions));
  }
  return series.filter(({ channels }) => channels.length > 0);
}

/** Videos that a log names, each beside it; a name that leaves the log's folder is treated as missing. */
export async function rolloutVideos(
  path: string,
  log: RolloutLog,
): Promise<{ found: Map<string, string>; notes: string[] }> {
  const found = new Map<string, string>();
  const notes: string[] = [];
  for (const [camera, name] of Object.entries(log.videos)) {
    const file = safePath(dirname(path), encodeURIComponent(name).replaceAll("%2F", "/"));
    const info = file === null ? null : await stat(file).catch(() => null);
    if (file !== null && info?.isFile() && info.size > 0) found.set(camera, file);
    else notes.push(`Camera ${camera}: the video ${name} is not beside the rollout.`);
  }
  return { found, notes };
}

export const rolloutPath = (folder: string, id: string) => join(folder, `${id}.rollout`);
