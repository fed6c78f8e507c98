/** @file Finds what breaks training before training does. */
import { createHash } from "node:crypto";
import type { Episode, EpisodeReader } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";
import { episodeIndices, isLeRobot } from "../episode-indices.ts";
import { automaticFeatures } from "../lerobot/columns.ts";
import { packetTimes } from "../video/concat.ts";
import { type Finding, type Report, sortFindings } from "./findings.ts";
import { checkSplits } from "./splits.ts";
import { checkSetStatistics, checkStatistics, storedSetStatistics, storedStatistics } from "./statistics.ts";
import { checkTimestamps } from "./timestamps.ts";
import { ValueCheck } from "./values.ts";
import { checkVideos } from "./videos.ts";

export type CheckOptions = {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

/**
 * Reads every row of a data set (and the packets of its videos, without decoding) and lists what is wrong: times,
 * videos unlike rows or missing, values that are not finite, constant dimensions, outliers, statistics that are not
 * those of the rows (of an episode, of the set), missing tasks, splits that share episodes, episodes that are there
 * twice and would leak between splits.
 */
export async function checkDataset(reader: EpisodeReader, options: CheckOptions = {}): Promise<Report> {
  const { info } = reader;
  const findings: Finding[] = [];
  const values = new ValueCheck(info.features);
  const stored = isLeRobot(reader) ? await storedStatistics(reader) : new Map();
  const indices = episodeIndices(reader);
  const contents = new Map<string, number>();
  const timesOf = rememberLast(packetTimes);
  let frames = 0;
  for (const [done, index] of indices.entries()) {
    options.signal?.throwIfAborted();
    try {
      const episode = await reader.episode(index);
      frames += episode.length;
      findings.push(...checkTimestamps(index, episode.timestampsS, info.fps));
      findings.push(...checkNumbers(values, episode), ...checkTasks(episode), ...checkTwin(contents, episode));
      findings.push(...checkStatistics(index, info.features, episode.columns, stored.get(index) ?? {}));
      if (isLeRobot(reader)) findings.push(...(await checkVideos(reader, index, episode.timestampsS, timesOf)));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      findings.push({ severity: "error", check: "rows", episode: index, message: error.message });
    }
    options.onProgress?.(done + 1, indices.length);
  }
  if (isLeRobot(reader)) findings.push(...checkSetStatistics(values, await storedSetStatistics(reader)));
  findings.push(...values.finish(), ...checkTotals(reader, indices.length, frames), ...checkSplits(info));
  return { episodes: indices.length, frames, findings: sortFindings(findings) };
}

/** Many episodes of version 3 lie in one file, one after the other. */
function rememberLast(read: (path: string) => Promise<Float64Array>): (path: string) => Promise<Float64Array> {
  const kept = new Map<string, Promise<Float64Array>>();
  return (path) => {
    const known = kept.get(path) ?? read(path);
    if (kept.size > 16) kept.clear();
    kept.set(path, known);
    return known;
  };
}

function checkNumbers(values: ValueCheck, { index, columns }: Episode): Finding[] {
  return Object.entries(columns).flatMap(([name, column]) => {
    const isNumeric = column instanceof Float32Array || column instanceof Float64Array;
    return isNumeric && !(name in automaticFeatures) ? values.add(index, name, column) : [];
  });
}

function checkTasks({ index, tasks }: Episode): Finding[] {
  if (tasks.some((task) => task.trim() !== "")) return [];
  return [
    {
      severity: "warning",
      check: "tasks",
      episode: index,
      message: "has no task: a policy that follows language learns nothing from it",
    },
  ];
}

/** Same numbers in the same order: one of the two leaks as soon as they are split. */
function checkTwin(contents: Map<string, number>, { index, columns }: Episode): Finding[] {
  const hash = createHash("sha256");
  for (const [name, column] of Object.entries(columns)) {
    if (name in automaticFeatures || Array.isArray(column)) continue;
    const { buffer, byteOffset, byteLength } = column as Float64Array;
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const digest = hash.digest("hex");
  const twin = contents.get(digest);
  if (twin === undefined) {
    contents.set(digest, index);
    return [];
  }
  return [
    {
      severity: "error",
      check: "duplicates",
      episode: index,
      message: `is the same as episode ${twin}: it would leak between splits`,
    },
  ];
}

function checkTotals({ info }: EpisodeReader, episodes: number, frames: number): Finding[] {
  const findings: Finding[] = [];
  const found = (message: string) => findings.push({ severity: "error", check: "metadata", message });
  if (info.episodes !== episodes) found(`the metadata says ${info.episodes} episodes, ${episodes} are listed`);
  if (Number.isFinite(info.frames) && info.frames !== frames)
    found(`the metadata says ${info.frames} frames, ${frames} could be read`);
  return findings;
}
