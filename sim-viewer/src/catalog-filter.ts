import type { Catalog, EpisodeGroup, EpisodeSummary } from "./viewer-protocol.ts";

export type VerdictFilter = "all" | "success" | "failure";

/** One episode with the group it is in. */
export type EpisodeRef = { readonly group: EpisodeGroup; readonly episode: EpisodeSummary };

/** Whether every word of `text` occurs somewhere in what the list says about the episode. */
export function matchesFilter(episode: EpisodeSummary, text: string, verdict: VerdictFilter): boolean {
  if (verdict !== "all" && episode.success !== (verdict === "success")) return false;
  const { label, instruction, policyId, task, split, reasons, problem } = episode;
  const words = [label, instruction, policyId, task, split, ...reasons, problem ?? ""].join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => words.includes(word));
}

export function findEpisode(catalog: Catalog, group: string, id: string): EpisodeRef | null {
  const found = catalog.groups.find((candidate) => candidate.id === group);
  const episode = found?.episodes.find((candidate) => candidate.id === id);
  return found && episode ? { group: found, episode } : null;
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
