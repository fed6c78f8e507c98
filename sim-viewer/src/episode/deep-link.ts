/** What the address after `#` says: `#GROUP/EPISODE/FRAME`, with `?with=GROUP/EPISODE` for the compared episode. */
export type DeepLink = {
  readonly group: string;
  readonly episode: string;
  readonly frame: number;
  readonly compare?: { readonly group: string; readonly episode: string };
};

function decodePart(part: string | undefined): string | null {
  if (!part) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** Reads `location.hash`; `null` when it names no episode. A frame that is not a whole number counts as 0. */
export function parseHash(hash: string): DeepLink | null {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const parts = path.split("/");
  const group = decodePart(parts[0]);
  const episode = decodePart(parts[1]);
  if (group === null || episode === null) return null;
  const frame = /^\d{1,9}$/.test(parts[2] ?? "") ? Number(parts[2]) : 0;
  const [otherGroup, otherEpisode] = (/(?:^|&)with=([^&]*)/.exec(query)?.[1] ?? "").split("/").map(decodePart);
  if (!otherGroup || !otherEpisode) return { group, episode, frame };
  return { group, episode, frame, compare: { group: otherGroup, episode: otherEpisode } };
}

const encodePair = (group: string, episode: string) => `${encodeURIComponent(group)}/${encodeURIComponent(episode)}`;

/** The inverse of `parseHash`. */
export function formatHash(link: DeepLink): string {
  const compare = link.compare ? `?with=${encodePair(link.compare.group, link.compare.episode)}` : "";
  return `#${encodePair(link.group, link.episode)}/${link.frame}${compare}`;
}

/** The address of the live robot. */
export const liveHash = "#live";

/** Whether two links open the same, whatever the frame. */
export const isSameEpisode = (left: DeepLink, right: DeepLink) =>
  formatHash({ ...left, frame: 0 }) === formatHash({ ...right, frame: 0 });
