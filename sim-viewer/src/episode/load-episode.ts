import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { fetchEpisode, fetchRollout } from "./api.ts";
import { findEpisode } from "./catalog-filter.ts";
import { rolloutTraces, type Traces } from "./traces.ts";
import type { Catalog, EpisodeDetail } from "./viewer-protocol.ts";

/** An episode with everything that the page draws of it. */
export type LoadedEpisode = {
  readonly detail: EpisodeDetail;
  readonly groupLabel: string;
  readonly log: RolloutLog | null;
  readonly traces: Traces | null;
  /** Why there is no 3-D although a rollout was named. */
  readonly problem: string | null;
};

/** Fetches an episode and, where it has one, its rollout; a broken rollout costs only the 3-D. */
export async function loadEpisode(catalog: Catalog, group: string, id: string): Promise<LoadedEpisode> {
  const ref = findEpisode(catalog, group, id);
  if (ref?.episode.problem !== undefined) throw new Error(`${ref.group.label}/${id}: ${ref.episode.problem}`);
  const detail = await fetchEpisode(group, id);
  const groupLabel = ref?.group.label ?? group;
  const bare = { detail, groupLabel, log: null, traces: null, problem: null };
  if (detail.rolloutUrl === null) return bare;
  return await fetchRollout(detail.rolloutUrl).then(
    (log) => ({ ...bare, log, traces: rolloutTraces(log) }),
    (error: Error) => ({ ...bare, problem: error.message }),
  );
}
