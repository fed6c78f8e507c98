import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "#core/errors.ts";
import type { Catalog, EpisodeDetail } from "#sim-viewer/src/episode/viewer-protocol.ts";
import { createDataset, type Dataset } from "./viewer-datasets.ts";
import { createFilms } from "./viewer-films.ts";
import { type FoundSet, isHdf5, openSet, recogniseFolder } from "./viewer-formats.ts";
import { createRecordingOpener, groupRecordings } from "./viewer-recording-group.ts";
import { createRolloutLister, groupRollouts, type ListedRollout, type RolloutLister } from "./viewer-rollouts.ts";
import { type GroupSource, isFile } from "./viewer-source.ts";

/**
 * @file What the given folders have to show: every folder below them that holds `*.rollout` files is a group (one for each
 * policy where several share a folder), and so is every data set. They are looked through again for every catalogue, so
 * that a run in progress grows in the list.
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
const skipped = new Set(["node_modules", "videos", "images"]);
/** Files that are read at the same time. */
const readers = 8;

type Found = {
  /** Rollouts and recordings by the folder that they lie in. */
  readonly rollouts: Map<string, string[]>;
  readonly recordings: Map<string, string[]>;
  readonly sets: FoundSet[];
};

const nothing = (): Found => ({ rollouts: new Map(), recordings: new Map(), sets: [] });

const byNumber = (left: string, right: string) => left.localeCompare(right, "en", { numeric: true });
const isFolder = (path: string) =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

/** Walks down at most four levels; a folder that is one data set is not walked into. */
async function find(folder: string, depth: number, found: Found): Promise<Found> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const set = await recogniseFolder(
    folder,
    entries.map((entry) => entry.name),
  );
  if (set) {
    found.sets.push(set);
    return found;
  }
  if (entries.some(({ name }) => isHdf5(name))) found.sets.push({ path: folder, format: "hdf5" });
  const files = entries.map((entry) => join(folder, entry.name)).sort(byNumber);
  for (const [ending, place] of [
    [".rollout", found.rollouts],
    [".mcap", found.recordings],
  ] as const) {
    const paths = files.filter((path) => path.endsWith(ending));
    if (paths.length > 0) place.set(folder, paths);
  }
  if (depth === deepest) return found;
  for (const entry of entries.sort((left, right) => byNumber(left.name, right.name))) {
    if (skipped.has(entry.name) || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(path)))) await find(path, depth + 1, found);
  }
  return found;
}

/** Files that hold episodes by themselves. */
export const isEpisodeFile = (path: string) => /\.(rollout|mcap)$/.test(path) || isHdf5(path);

function findSingle(path: string): Found {
  if (isHdf5(path)) return { ...nothing(), sets: [{ path, format: "hdf5" }] };
  const files = new Map([[dirname(path), [path]]]);
  return path.endsWith(".mcap") ? { ...nothing(), recordings: files } : { ...nothing(), rollouts: files };
}

async function listAll(paths: readonly string[], list: RolloutLister): Promise<ListedRollout[]> {
  const listed: ListedRollout[] = [];
  let next = 0;
  const work = async () => {
    while (next < paths.length) {
      const index = next++;
      listed[index] = await list(paths[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(readers, paths.length) }, work));
  return listed;
}

/** A folder to look through, or one file; `name` starts the names of its groups where several are given. */
type Root = { readonly path: string; readonly name: string };

function nameRoots(paths: readonly string[]): Root[] {
  const absolute = paths.map((path) => resolve(path));
  if (absolute.length === 1) return [{ path: absolute[0]!, name: "" }];
  const names = new Set<string>();
  return absolute.map((path) => {
    let name = basename(path);
    for (let copy = 2; names.has(name); copy++) name = `${basename(path)} (${copy})`;
    names.add(name);
    return { path, name };
  });
}

/**
 * Makes the library.
 *
 * @param paths folders, or single files that `isEpisodeFile` knows
 */
export function createLibrary(paths: readonly string[]): ViewerLibrary {
  const roots = nameRoots(paths);
  const list = createRolloutLister();
  const films = createFilms();
  const openRecording = createRecordingOpener();
  const sets = new Map<string, Dataset>();
  let sources = new Map<string, GroupSource>();

  async function scanRoot({ path, name }: Root): Promise<GroupSource[]> {
    const isSingle = isEpisodeFile(path) && (await isFile(path));
    const base = isSingle ? dirname(path) : path;
    const found = isSingle ? findSingle(path) : await find(path, 0, nothing());
    const idOf = (folder: string) =>
      [name, relative(base, folder).split(sep).join("/")].filter(Boolean).join("/") || basename(base);
    const groups: GroupSource[] = [];
    // One folder may hold episodes of several kinds.
    const freeId = (folder: string, kind: string) => {
      const id = idOf(folder);
      return groups.some(({ group }) => group.id === id || group.id.startsWith(`${id}:`)) ? `${id} (${kind})` : id;
    };
    for (const [folder, files] of found.rollouts) {
      groups.push(...groupRollouts(idOf(folder), idOf(folder), await listAll(files, list)));
    }
    for (const [folder, files] of found.recordings) {
      groups.push(groupRecordings(freeId(folder, "mcap"), files, openRecording, films));
    }
    for (const set of found.sets) {
      const id = freeId(set.path, set.format);
      if (!sets.has(id)) {
        sets.set(
          id,
          createDataset(set.path, { id, label: id, kind: set.format }, () => openSet(set), films),
        );
      }
      groups.push(await sets.get(id)!.source());
    }
    return groups;
  }
  async function scan(): Promise<GroupSource[]> {
    const groups = (await Promise.all(roots.map(scanRoot))).flat();
    sources = new Map(groups.map((source) => [source.group.id, source]));
    return groups;
  }
  /** Looks through the folders again when the name is new. */
  async function sourceOf(group: string, id: string): Promise<GroupSource> {
    if (!sources.get(group)?.has(id)) await scan();
    const source = sources.get(group);
    if (source?.has(id)) return source;
    const place = roots.map(({ path }) => path).join(", ");
    throw new UserError(`viewer: must be an episode of ${place}, got "${group}/${id}". Choose one from the list.`);
  }

  return {
    catalog: async () => ({
      path: roots.map(({ path }) => path).join(", "),
      groups: (await scan()).map(({ group }) => group),
    }),
    episode: async (group, id) => await (await sourceOf(group, id)).episode(id),
    async rolloutFile(group, id) {
      const path = await (await sourceOf(group, id)).rolloutFile(id);
      if (!path) throw new UserError(`viewer: must be an episode with a rollout, got ${group}/${id}, which has none.`);
      return path;
    },
    async videoFile(group, id, camera) {
      const path = await (await sourceOf(group, id)).videoFile(id, camera);
      if (path) return path;
      throw new UserError(`viewer: must be a camera of ${group}/${id}, got "${camera}", which has no video there.`);
    },
    async close() {
      for (const set of sets.values()) await set.close();
      await films.close();
    },
  };
}
