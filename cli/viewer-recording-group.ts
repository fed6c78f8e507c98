import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { EpisodeDetail, EpisodeSummary } from "#sim-viewer/src/episode/viewer-protocol.ts";
import type { Films } from "./viewer-films.ts";
import { type Recording, readPictures, readRecording } from "./viewer-recordings.ts";
import { fileUrl, type GroupSource } from "./viewer-source.ts";
import { pairFrames } from "./viewer-video-times.ts";

/** @file The recordings of one folder as a group of the list: one episode each, read when it is opened. */

/** Reads a recording, or gives the one that was read before when the file did not change. */
export type OpenRecording = (path: string) => Promise<Recording>;

/** Recordings that are kept in memory. */
const mostOpen = 4;

export function createRecordingOpener(): OpenRecording {
  const open = new Map<string, Promise<Recording>>();
  return async (path) => {
    const info = await stat(path).catch(() => null);
    const key = `${path} ${info?.mtimeMs} ${info?.size}`;
    const recording = open.get(key) ?? readRecording(path);
    open.delete(key);
    open.set(key, recording);
    recording.catch(() => open.delete(key));
    if (open.size > mostOpen) open.delete(open.keys().next().value!);
    return await recording;
  };
}

const idOf = (path: string) => basename(path, ".mcap");

function summarize(path: string): EpisodeSummary {
  return {
    ...{ id: idOf(path), label: idOf(path), instruction: "", frames: 0, rateHz: 0, success: null, reasons: [] },
    ...{ policyId: "", task: "", split: "", instance: "" },
  };
}

/** Mean rate of a recording's time axis. */
function rateOf(timesS: readonly number[]): number {
  const lengthS = (timesS.at(-1) ?? 0) - (timesS[0] ?? 0);
  return lengthS > 0 ? (timesS.length - 1) / lengthS : 1;
}

/** Times of a film from 0, each at least a millisecond after the one before: two pictures may share a stamp. */
function filmTimes(timesS: readonly number[]): number[] {
  let last = -1;
  return timesS.map((timeS) => {
    last = Math.max(timeS - timesS[0]!, last + 0.001);
    return last;
  });
}

async function openEpisode(group: string, path: string, recording: Recording): Promise<EpisodeDetail> {
  const { timestampsS, series, cameras, instruction, notes } = recording;
  const videos = [...cameras].map(([camera, timesS]) => ({
    camera,
    url: fileUrl("video", group, idOf(path), camera),
    frameTimesS: pairFrames(
      filmTimes(timesS),
      timestampsS.map((timeS) => timeS - timesS[0]!),
    ),
  }));
  const summary = { ...summarize(path), instruction, frames: timestampsS.length, rateHz: rateOf(timestampsS) };
  return { group, summary, timestampsS, series, videos, rolloutUrl: null, notes };
}

export function groupRecordings(id: string, paths: readonly string[], open: OpenRecording, films: Films): GroupSource {
  const byId = new Map(paths.map((path) => [idOf(path), path]));
  return {
    group: { id, label: id, kind: "mcap", episodes: paths.map(summarize) },
    has: (episode) => byId.has(episode),
    async episode(episode) {
      const path = byId.get(episode)!;
      return await openEpisode(id, path, await open(path));
    },
    rolloutFile: async () => null,
    async videoFile(episode, camera) {
      const path = byId.get(episode);
      const timesS = path && (await open(path)).cameras.get(camera);
      if (!path || !timesS) return null;
      const pictures = () => readPictures(path, camera);
      const info = await stat(path);
      const name = `${path} ${info.mtimeMs} ${camera}`;
      return await films.film(name, { pictures, timesS: filmTimes(timesS), rateHz: rateOf(timesS) });
    },
  };
}
