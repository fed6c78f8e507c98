import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { decodeRollout } from "./rollout-file.ts";
import type { Catalog, EpisodeDetail, ViewerProblem } from "./viewer-protocol.ts";

async function get(url: string): Promise<Response> {
  const response = await fetch(url).catch(() => {
    throw new Error('The viewer\'s server does not answer. Start it again with "npx armature viewer".');
  });
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as ViewerProblem | null;
  throw new Error(body?.problem ?? `The server answered ${response.status} for ${url}.`);
}

export const fetchCatalog = async (): Promise<Catalog> => (await get("api/catalog")).json();

export async function fetchEpisode(group: string, id: string): Promise<EpisodeDetail> {
  return (await get(`api/episode/${encodeURIComponent(group)}/${encodeURIComponent(id)}`)).json();
}

export async function fetchRollout(url: string): Promise<RolloutLog> {
  const bytes = new Uint8Array(await (await get(url)).arrayBuffer());
  return decodeRollout(bytes);
}
