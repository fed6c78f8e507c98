import { fetchEpisode, fetchRollout } from "./api.ts";
import { type EpisodeRef, findEpisode } from "./catalog-filter.ts";
import type { LoadedEpisode } from "./pane.ts";
import type { Catalog } from "./viewer-protocol.ts";

/** Fetches an episode and, where it has one, its rollout; a broken rollout costs only the 3-D. */
export async function loadEpisode(catalog: Catalog, group: string, id: string): Promise<LoadedEpisode> {
  const ref: EpisodeRef | null = findEpisode(catalog, group, id);
  if (ref?.episode.problem !== undefined) throw new Error(ref.episode.problem);
  const detail = await fetchEpisode(group, id);
  const groupLabel = ref?.group.label ?? group;
  if (detail.rolloutUrl === null) return { detail, groupLabel, log: null, problem: null };
  return await fetchRollout(detail.rolloutUrl).then(
    (log) => ({ detail, groupLabel, log, problem: null }),
    (error: Error) => ({ detail, groupLabel, log: null, problem: error.message }),
  );
}
