import type { EpisodeRef } from "../episode/catalog-filter.ts";
import { element } from "./dom.ts";
import type { EpisodeName } from "./episode-list.ts";

export type CompareSelect = {
  readonly root: HTMLElement;
  /** @param chosen the episode that is compared now, which may come from elsewhere than the choices */
  offer(choices: readonly EpisodeRef[], chosen: EpisodeRef | null): void;
};

const verdictWord = (success: boolean | null) => (success === null ? "not judged" : success ? "success" : "failure");

/** Chooses what the open episode is held against. */
export function createCompareSelect(choose: (name: EpisodeName | null) => void): CompareSelect {
  const root = element("select", { class: "compare", "aria-label": "Compare with", hidden: true });
  root.addEventListener("change", () => choose(root.value ? (JSON.parse(root.value) as EpisodeName) : null));
  return {
    root,
    offer(choices, chosen) {
      const isChosen = ({ group, episode }: EpisodeRef) =>
        group.id === chosen?.group.id && episode.id === chosen.episode.id;
      const all = chosen && !choices.some(isChosen) ? [...choices, chosen] : choices;
      root.hidden = all.length === 0;
      root.replaceChildren(
        element("option", { value: "" }, chosen ? "No comparison" : "Compare with…"),
        ...all.map((ref) =>
          element(
            "option",
            { value: JSON.stringify({ group: ref.group.id, episode: ref.episode.id }), selected: isChosen(ref) },
            `${ref.group.label} · ${ref.episode.label} · ${verdictWord(ref.episode.success)}`,
          ),
        ),
      );
    },
  };
}
