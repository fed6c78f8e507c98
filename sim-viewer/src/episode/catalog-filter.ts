import type { Catalog, EpisodeGroup, EpisodeSummary } from "./viewer-protocol.ts";

/** `differs`: judged differently in different groups (one policy solved the instance, another did not). */
export type VerdictFilter = "all" | "success" | "failure" | "differs";

/** One episode with the group it is in. */
export type EpisodeRef = { readonly group: EpisodeGroup; readonly episode: EpisodeSummary };

/** The words that the list shows about an episode, in lower case. */
function wordsOf({ label, instruction, policyId, task, split, reasons, problem }: EpisodeSummary): string {
  return [label, instruction, policyId, task, split, ...reasons, problem ?? ""].join(" ").toLowerCase();
}

/** Hashes of the task instances that were solved in one episode and failed in another. */
export function findDisputed(catalog: Catalog): ReadonlySet<string> {
  const verdicts = new Map<string, boolean>();
  const disputed = new Set<string>();
  for (const { instance, success } of catalog.groups.flatMap(({ episodes }) => episodes)) {
    if (instance === "" || success === null) continue;
    if (verdicts.get(instance) === !success) disputed.add(instance);
    verdicts.set(instance, success);
  }
  return disputed;
}

/**
 * Makes the test that decides what the list shows: every word of `text` occurs somewhere in what it says about the
 * episode, and the verdict is the asked one.
 */
export function makeFilter(
  text: string,
  verdict: VerdictFilter,
  disputed: ReadonlySet<string>,
): (episode: EpisodeSummary) => boolean {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (episode) => {
    if (verdict === "differs" && !disputed.has(episode.instance)) return false;
    if (verdict === "success" && episode.success !== true) return false;
    if (verdict === "failure" && episode.success !== false) return false;
    if (wanted.length === 0) return true;
    const words = wordsOf(episode);
    return wanted.every((word) => words.includes(word));
  };
}

export function findEpisode(catalog: Catalog, group: string, id: string): EpisodeRef | null {
  const found = catalog.groups.find((candidate) => candidate.id === group);
  const episode = found?.episodes.find((candidate) => candidate.id === id);
  return found && episode ? { group: found, episode } : null;
}

/** The first episode that plays; the first of all where none does; `null` in an empty catalogue. */
export function findFirst(catalog: Catalog): EpisodeRef | null {
  const all = catalog.groups.flatMap((group) => group.episodes.map((episode) => ({ group, episode })));
  return all.find(({ episode }) => episode.problem === undefined) ?? all[0] ?? null;
}

/** Playable episodes of the same task instance in other groups: what one policy's rollout can be held against. */
export function findComparable(catalog: Catalog, group: string, episode: EpisodeSummary): EpisodeRef[] {
  if (episode.instance === "") return [];
  return catalog.groups
    .filter((candidate) => candidate.id !== group)
    .flatMap((candidate) => candidate.episodes.map((other) => ({ group: candidate, episode: other })))
    .filter(({ episode: other }) => other.instance === episode.instance && other.problem === undefined);
}

/** Successes among the judged episodes of a group. */
export function countVerdicts(group: EpisodeGroup): { successes: number; judged: number } {
  const judged = group.episodes.filter(({ success }) => success !== null);
  return { successes: judged.filter(({ success }) => success).length, judged: judged.length };
}
