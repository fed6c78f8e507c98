import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { decodeRollout } from "./rollout-file.ts";
import type { Catalog, EpisodeDetail, ViewerProblem } from "./viewer-protocol.ts";

/** How often the folder is looked through again while the page is in sight, milliseconds. */
const catalogEveryMs = 5000;

async function get(url: string): Promise<Response> {
  const response = await fetch(url).catch(() => {
    throw new Error('The viewer\'s server does not answer. Start it again with "npx armature viewer".');
  });
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as ViewerProblem | null;
  throw new Error(body?.problem ?? `The server answered ${response.status} for ${url}.`);
}

/**
 * Fetches the catalogue now and again every few seconds, so that a run in progress grows in the list.
 *
 * @param show    called with every catalogue that differs from the one before
 * @param problem called when the first cannot be had; later failures leave the page as it is
 */
export function watchCatalog(show: (catalog: Catalog) => void, problem: (sentence: string) => void): void {
  let shown = "";
  const look = async () => {
    try {
      const text = document.hidden ? shown : await (await get("api/catalog")).text();
      if (text !== shown) show(JSON.parse(text) as Catalog);
      shown = text;
    } catch (error) {
      if (shown === "") problem((error as Error).message);
    }
    setTimeout(look, catalogEveryMs);
  };
  void look();
}

export async function fetchEpisode(group: string, id: string): Promise<EpisodeDetail> {
  return (await get(`api/episode/${encodeURIComponent(group)}/${encodeURIComponent(id)}`)).json();
}

export async function fetchRollout(url: string): Promise<RolloutLog> {
  const bytes = new Uint8Array(await (await get(url)).arrayBuffer());
  return decodeRollout(bytes);
}
