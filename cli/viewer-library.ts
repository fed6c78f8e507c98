import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { UserError } from "#core/errors.ts";
import type {
  Catalog,
  EpisodeDetail,
  EpisodeGroup,
  EpisodeSummary,
  VideoSource,
} from "#sim-viewer/src/viewer-protocol.ts";
import { createLeRobotSource, type LeRobotSource, type OpenReader } from "./viewer-lerobot.ts";
import {
  createRolloutLister,
  type RolloutLister,
  readRollout,
  rolloutSeries,
  rolloutVideos,
} from "./viewer-rollouts.ts";

/**
 * @file What one folder has to show: every folder below it that holds `*.rollout` files is a group (one group per policy
 * where several share a folder), and so is every LeRobot set. The folder is looked through again for every catalogue,
 * so that a run in progress grows in the list.
 */

export type ViewerLibrary = {
  catalog(): Promise<Catalog>;
  /** @throws UserError when the episode is not there or cannot be read */
  episode(group: string, id: string): Promise<EpisodeDetail>;
  rolloutFile(group: string, id: string): Promise<string>;
  videoFile(group: string, id: string, camera: string): Promise<string>;
  close(): Promise<void>;
};

const deepest = 4;
const skipped = new Set(["node_modules", "videos", "images", ".git", ".cache"]);

type Found = { readonly rolloutFolders: Map<string, string[]>; readonly sets: string[] };

/** Walks down at most four levels; a LeRobot set is one thing and is not walked into. */
async function find(folder: string, depth: number, found: Found): Promise<Found> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (entries.some((entry) => entry.name === "meta") && (await isFile(join(folder, "meta/info.json")))) {
    found.sets.push(folder);
    return found;
  }
  const rollouts = entries.filter((entry) => entry.name.endsWith(".rollout")).map((entry) => join(folder, entry.name));
  if (rollouts.length > 0) found.rolloutFolders.set(folder, rollouts.sort(byNumber));
  if (depth === deepest) return found;
  for (const entry of entries.sort((left, right) => byNumber(left.name, right.name))) {
    if (entry.isDirectory() && !skipped.has(entry.name)) await find(join(folder, entry.name), depth + 1, found);
  }
  return found;
}

const byNumber = (left: string, right: string) => left.localeCompare(right, "en", { numeric: true });
const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

type RolloutGroup = { readonly summary: EpisodeGroup; readonly files: ReadonlyMap<string, string> };

async function readRolloutGroups(
  folder: string,
  paths: readonly string[],
  id: string,
  list: RolloutLister,
): Promise<RolloutGroup[]> {
  const byPolicy = new Map<string, { path: string; summary: EpisodeSummary }[]>();
  for (const path of paths) {
    const summary = await list(path);
    byPolicy.set(summary.policyId, [...(byPolicy.get(summary.policyId) ?? []), { path, summary }]);
  }
  // A broken file has no policy: it goes to the first group rather than into one of its own.
  const broken = byPolicy.size > 1 ? (byPolicy.get("") ?? []) : [];
  if (broken.length > 0) byPolicy.delete("");
  const split = byPolicy.size > 1;
  return [...byPolicy].map(([policy, members], index) => {
    const all = index === 0 ? [...members, ...broken] : members;
    const label = split ? `${basename(folder)} · ${policy}` : basename(folder);
    const episodes = all.map(({ summary }) => summary);
    return {
      summary: { id: split ? `${id}:${policy}` : id, label, kind: "rollouts", episodes },
      files: new Map(all.map(({ path, summary }) => [summary.id, path])),
    };
  });
}

const fileUrl = (kind: string, ...parts: string[]) => `files/${kind}/${parts.map(encodeURIComponent).join("/")}`;

async function rolloutDetail(group: string, summary: EpisodeSummary, path: string): Promise<EpisodeDetail> {
  const log = await readRollout(path);
  const { found, notes } = await rolloutVideos(path, log);
  return {
    group,
    summary,
    timestampsS: Array.from({ length: log.frames }, (_, frame) => frame / log.rateHz),
    series: rolloutSeries(log),
    videos: [...found.keys()].map(
      (camera): VideoSource => ({ camera, url: fileUrl("video", group, summary.id, camera), startS: 0 }),
    ),
    rolloutUrl: fileUrl("rollout", group, summary.id),
    notes,
  };
}

/**
 * Makes the library of one folder.
 *
 * @param open how LeRobot sets are opened (`openLeRobot` of datasets)
 */
export function createLibrary(root: string, open: OpenReader): ViewerLibrary {
  const list = createRolloutLister();
  const sets = new Map<string, LeRobotSource>();
  let rolloutGroups = new Map<string, RolloutGroup>();
  const groupId = (folder: string) => relative(root, folder).split(sep).join("/") || ".";

  async function scan(): Promise<EpisodeGroup[]> {
    const found = await find(root, 0, { rolloutFolders: new Map(), sets: [] });
    const groups: RolloutGroup[] = [];
    for (const [folder, paths] of found.rolloutFolders) {
      groups.push(...(await readRolloutGroups(folder, paths, groupId(folder), list)));
    }
    rolloutGroups = new Map(groups.map((group) => [group.summary.id, group]));
    for (const folder of found.sets) {
      if (!sets.has(groupId(folder))) sets.set(groupId(folder), createLeRobotSource(folder, groupId(folder), open));
    }
    const setGroups = await Promise.all(found.sets.map((folder) => sets.get(groupId(folder))!.group()));
    return [...groups.map(({ summary }) => summary), ...setGroups];
  }

  /** The file of a rollout; looks through the folder again when the name is new. */
  async function rolloutOf(group: string, id: string): Promise<string | null> {
    if (!rolloutGroups.get(group)?.files.has(id)) await scan();
    return rolloutGroups.get(group)?.files.get(id) ?? null;
  }
  async function setOf(group: string): Promise<LeRobotSource | null> {
    if (!sets.has(group)) await scan();
    return sets.get(group) ?? null;
  }
  const missing = (group: string, id: string) =>
    new UserError(`viewer: expected an episode of ${root}, got "${group}/${id}". Choose one from the list.`);

  return {
    catalog: async () => ({ path: root, groups: await scan() }),
    async episode(group, id) {
      const path = await rolloutOf(group, id);
      if (path !== null) return await rolloutDetail(group, await list(path), path);
      const set = await setOf(group);
      if (set === null) throw missing(group, id);
      return await set.episode(id, (kind, ...parts) => fileUrl(kind, group, id, ...parts));
    },
    async rolloutFile(group, id) {
      const path = (await rolloutOf(group, id)) ?? (await (await setOf(group))?.rolloutFile(id));
      if (!path) throw missing(group, id);
      return path;
    },
    async videoFile(group, id, camera) {
      const path = await rolloutOf(group, id);
      const file =
        path === null
          ? await (await setOf(group))?.videoFile(id, camera)
          : (await rolloutVideos(path, await readRollout(path))).found.get(camera);
      if (!file) throw new UserError(`viewer: expected a video of camera "${camera}" for ${group}/${id}, got none.`);
      return file;
    },
    async close() {
      for (const set of sets.values()) await set.close();
    },
  };
}
