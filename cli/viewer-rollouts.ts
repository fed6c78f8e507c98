import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import { FormatError } from "#core/errors.ts";
import { positionsOf } from "#sim-viewer/src/episode/poses.ts";
import { decodeRollout } from "#sim-viewer/src/episode/rollout-file.ts";
import { findEffector, toSeries } from "#sim-viewer/src/episode/signals.ts";
import type { EpisodeDetail, EpisodeGroup, EpisodeSummary, Series } from "#sim-viewer/src/episode/viewer-protocol.ts";
import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { pathInside } from "./viewer-files.ts";
import { fileUrl, type GroupSource, openVideos } from "./viewer-source.ts";

/** @file `*.rollout` files as the viewer lists and opens them. */

/** @throws FormatError when the file cannot be read or does not hold a whole log */
export async function readRollout(path: string): Promise<RolloutLog> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new FormatError(path, "must be a readable file, got none. Check its permissions.", { cause });
  });
  try {
    return decodeRollout(bytes);
  } catch (cause) {
    throw new FormatError(path, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const rolloutId = (path: string) => basename(path, extname(path));

const nothingKnown = { instruction: "", frames: 0, rateHz: 0, success: null, reasons: [], policyId: "" } as const;

function summarize(path: string, log: RolloutLog): EpisodeSummary {
  const { instance, frames, rateHz, success, reasons, policyId } = log;
  const { instruction, task, split, hash } = instance;
  const id = rolloutId(path);
  return { id, label: id, instruction, frames, rateHz, success, reasons, policyId, task, split, instance: hash };
}

function summarizeBroken(path: string, problem: string): EpisodeSummary {
  const id = rolloutId(path);
  return { ...nothingKnown, id, label: id, task: "", split: "", instance: "", problem };
}

/** One file as it stands in the list. `videos` are absolute paths by camera name, whether they are there or not. */
export type ListedRollout = {
  readonly path: string;
  readonly summary: EpisodeSummary;
  readonly videos: ReadonlyMap<string, string>;
};

/** Videos lie beside their log; a name that leaves its folder is left out. */
function videoPaths(path: string, log: RolloutLog): Map<string, string> {
  const entries = Object.entries(log.videos).map(
    ([camera, name]) => [camera, pathInside(dirname(path), name)] as const,
  );
  return new Map(entries.filter((entry): entry is readonly [string, string] => entry[1] !== null));
}

/** Lists a file; a broken one with its problem. Files that did not change are not read again. */
export type RolloutLister = (path: string) => Promise<ListedRollout>;

export function createRolloutLister(): RolloutLister {
  const known = new Map<string, { key: string; listed: ListedRollout }>();
  return async (path) => {
    const info = await stat(path).catch(() => null);
    const key = `${info?.mtimeMs}/${info?.size}`;
    const cached = known.get(path);
    if (cached?.key === key) return cached.listed;
    const listed = await readRollout(path).then(
      (log) => ({ path, summary: summarize(path, log), videos: videoPaths(path, log) }),
      (error: Error) => {
        // The row stands for the file, so its path is not said twice.
        const problem = error.message.replace(`${path}: `, "");
        return { path, summary: summarizeBroken(path, problem), videos: new Map<string, string>() };
      },
    );
    known.set(path, { key, listed });
    return listed;
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

async function openRollout(group: string, { path, summary, videos }: ListedRollout): Promise<EpisodeDetail> {
  const log = await readRollout(path);
  const timestampsS = Array.from({ length: log.frames }, (_, frame) => frame / log.rateHz);
  const places = new Map([...videos].map(([camera, video]) => [camera, { path: video }]));
  const opened = await openVideos(places, timestampsS, log.rateHz, (camera) =>
    fileUrl("video", group, summary.id, camera),
  );
  return {
    group,
    summary,
    timestampsS,
    series: rolloutSeries(log),
    videos: opened.videos,
    rolloutUrl: fileUrl("rollout", group, summary.id),
    notes: opened.notes,
  };
}

function rolloutGroup(id: string, label: string, members: readonly ListedRollout[]): GroupSource {
  const byId = new Map(members.map((member) => [member.summary.id, member]));
  const group: EpisodeGroup = { id, label, kind: "rollouts", episodes: members.map(({ summary }) => summary) };
  return {
    group,
    has: (episode) => byId.has(episode),
    episode: (episode) => openRollout(id, byId.get(episode)!),
    rolloutFile: async (episode) => byId.get(episode)?.path ?? null,
    videoFile: async (episode, camera) => byId.get(episode)?.videos.get(camera) ?? null,
  };
}

/** The groups of one folder's rollouts: one for each policy where several share the folder. */
export function groupRollouts(id: string, label: string, listed: readonly ListedRollout[]): GroupSource[] {
  const policies = [
    ...new Set(listed.flatMap(({ summary }) => (summary.problem === undefined ? [summary.policyId] : []))),
  ];
  if (policies.length < 2) return [rolloutGroup(id, label, listed)];
  return policies.map((policy, index) => {
    // A broken file has no policy: it goes to the first group rather than into one of its own.
    const isMember = ({ summary }: ListedRollout) =>
      summary.problem === undefined ? summary.policyId === policy : index === 0;
    return rolloutGroup(`${id}:${policy}`, `${label} · ${policy}`, listed.filter(isMember));
  });
}
