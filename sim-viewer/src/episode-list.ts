import { countVerdicts, matchesFilter, type VerdictFilter } from "./catalog-filter.ts";
import { element, icon } from "./dom.ts";
import type { Catalog, EpisodeGroup, EpisodeSummary } from "./viewer-protocol.ts";

/** More rows than this in one group are left to the filter: a list nobody scrolls through only slows the page. */
const mostRows = 400;

export type EpisodeList = {
  readonly root: HTMLElement;
  show(catalog: Catalog): void;
  select(group: string, episode: string): void;
  /** The episode `step` places further among those the filter shows; `null` at the ends. */
  neighbour(step: number): { group: string; episode: string } | null;
  focusFilter(): void;
};

const markOf = ({ success, problem }: EpisodeSummary) => {
  if (problem !== undefined)
    return element("span", { class: "mark mark-broken", title: "Broken file" }, icon("warning"));
  if (success === null) return element("span", { class: "mark mark-unknown", title: "Not judged" });
  return success
    ? element("span", { class: "mark mark-success", title: "Success" }, icon("check"))
    : element("span", { class: "mark mark-failure", title: "Failure" }, icon("cross"));
};

function lengthOf({ frames, rateHz }: EpisodeSummary): string {
  if (frames === 0) return "";
  return rateHz > 0 ? `${(frames / rateHz).toFixed(1)} s` : `${frames} frames`;
}

function makeRow(group: EpisodeGroup, episode: EpisodeSummary, open: (group: string, id: string) => void): HTMLElement {
  const detail = episode.problem ?? (episode.success === false ? (episode.reasons[0] ?? "") : "");
  const button = element(
    "button",
    { type: "button", class: "row" },
    markOf(episode),
    element(
      "span",
      { class: "row-text" },
      element("span", { class: "row-title" }, episode.instruction || episode.label),
      element(
        "span",
        { class: "row-meta" },
        [episode.instruction ? episode.label : "", lengthOf(episode)].filter(Boolean).join(" · "),
      ),
      detail ? element("span", { class: "row-detail" }, detail) : null,
    ),
  );
  button.dataset.key = `${group.id}\n${episode.id}`;
  button.addEventListener("click", () => open(group.id, episode.id));
  return element("li", {}, button);
}

function makeGroup(group: EpisodeGroup, rows: readonly HTMLElement[], shown: number): HTMLElement {
  const { successes, judged } = countVerdicts(group);
  const score = judged > 0 ? `${successes}/${judged} solved` : `${group.episodes.length} episodes`;
  const share = judged > 0 ? element("span", { class: "share", "aria-hidden": "true" }, element("i", {})) : null;
  share?.style.setProperty("--share", `${(100 * successes) / judged}%`);
  return element(
    "details",
    { open: true, class: "group" },
    element(
      "summary",
      {},
      element("span", { class: "group-name" }, group.label),
      share,
      element("span", { class: "group-score" }, score),
    ),
    group.problem ? element("p", { class: "problem" }, group.problem) : null,
    element("ul", {}, ...rows),
    shown > rows.length ? element("p", { class: "hint" }, `and ${shown - rows.length} more: narrow the filter.`) : null,
    shown === 0 && !group.problem ? element("p", { class: "hint" }, "Nothing here matches the filter.") : null,
  );
}

function makeVerdictFilter(onChange: (verdict: VerdictFilter) => void): HTMLElement {
  const labels: readonly [VerdictFilter, string][] = [
    ["all", "All"],
    ["success", "Success"],
    ["failure", "Failure"],
  ];
  const buttons = labels.map(([verdict, label]) => {
    const button = element("button", { type: "button", "aria-pressed": String(verdict === "all") }, label);
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      onChange(verdict);
    });
    return button;
  });
  return element("div", { class: "segmented", role: "group", "aria-label": "Filter by verdict" }, ...buttons);
}

/** The left pane: groups of episodes with a filter. @param open called when a row is chosen */
export function createEpisodeList(open: (group: string, episode: string) => void): EpisodeList {
  const input = element("input", {
    type: "search",
    placeholder: "Filter episodes",
    "aria-label": "Filter episodes",
    spellcheck: "false",
  });
  const body = element("div", { class: "list-body" });
  let catalog: Catalog = { path: "", groups: [] };
  let verdict: VerdictFilter = "all";
  let selected = "";

  const rows = () => [...body.querySelectorAll<HTMLButtonElement>("button.row")];
  const markSelected = () => {
    for (const row of rows()) {
      if (row.dataset.key === selected) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  };
  const render = () => {
    body.replaceChildren(
      ...catalog.groups.map((group) => {
        const matching = group.episodes.filter((episode) => matchesFilter(episode, input.value, verdict));
        return makeGroup(
          group,
          matching.slice(0, mostRows).map((episode) => makeRow(group, episode, open)),
          matching.length,
        );
      }),
    );
    markSelected();
  };
  input.addEventListener("input", render);
  const filter = makeVerdictFilter((value) => {
    verdict = value;
    render();
  });
  const search = element("label", { class: "search" }, icon("search"), input);
  return {
    root: element(
      "nav",
      { class: "list", "aria-label": "Episodes" },
      element("div", { class: "list-head" }, search, filter),
      body,
    ),
    show(next) {
      catalog = next;
      filter.hidden = !next.groups.some((group) => countVerdicts(group).judged > 0);
      render();
    },
    select(group, episode) {
      selected = `${group}\n${episode}`;
      markSelected();
      rows()
        .find((row) => row.dataset.key === selected)
        ?.scrollIntoView({ block: "nearest" });
    },
    neighbour(step) {
      const all = rows();
      const index = all.findIndex((row) => row.dataset.key === selected);
      const [group, episode] = all[index < 0 ? 0 : index + step]?.dataset.key?.split("\n") ?? [];
      return group === undefined || episode === undefined ? null : { group, episode };
    },
    focusFilter: () => input.focus(),
  };
}
