/**
 * - `train`: seen combinations and phrasings, for demonstrations and videos
 * - `seen`: the same combinations and phrasings, other initial states
 * - `unseen-objects`: combinations that training never has
 * - `unseen-phrasing`: phrasings that training never has
 * - `unseen`: both
 */
export const splits = ["train", "seen", "unseen-objects", "unseen-phrasing", "unseen"] as const;
export type Split = (typeof splits)[number];

/** What a split takes from a list whose entries are held out of training or not. */
export function partOf(split: Split): { readonly newObjects: boolean; readonly newPhrasing: boolean } {
  return {
    newObjects: split === "unseen-objects" || split === "unseen",
    newPhrasing: split === "unseen-phrasing" || split === "unseen",
  };
}
