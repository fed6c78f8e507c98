import {
  countVerdicts,
  type EpisodeRef,
  findDisputed,
  makeFilter,
  type VerdictFilter,
} from "../episode/catalog-filter.ts";
import type { Catalog, EpisodeGroup, EpisodeSummary } from "../episode/viewer-protocol.ts";
import { element, icon } from "./dom.ts";

/** Rows that a group shows at first and that each press on "more" adds. */
const pageRows = 200;

export type EpisodeName = { readonly group: string; readonly episode: string };

export type EpisodeList = {
  readonly root: HTMLElement;
  show(catalog: Catalog): void;
  /** @param name `null`: the live robot */
  select(name: EpisodeName | null): void;
  /** The episode `step` places further among those the filter shows; `null` at the ends. */
  neighbour(step: number): EpisodeName | null;
  focusFilter(): void;
  /** Shows failures alone, or all again. */
  toggleFailures(): void;
};

export type EpisodeListActions = {
  open(name: EpisodeName): void;
  /** Puts it beside the one that is open. */
  compare(name: EpisodeName): void;
  /** Shows the live robot. */
  watch(): void;
};

const keyOf = ({ group, episode }: EpisodeName) => `${group}\n${episode}`;

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

/** Instructions tell episodes apart, unless the whole group was recorded under one. */
const isOneTask = ({ episodes }: EpisodeGroup) => new Set(episodes.map(({ instruction }) => instruction)).size < 2;

function makeRow(
  group: EpisodeGroup,
  episode: EpisodeSummary,
  isTask: boolean,
  actions: EpisodeListActions,
): HTMLElement {
  const title = isTask ? episode.label : episode.instruction || episode.label;
  const detail = episode.problem ?? (episode.success === false ? (episode.reasons[0] ?? "") : "");
  const button = element(
    "button",
    { type: "button", class: "row", title: detail || undefined },
    markOf(episode),
    element(
      "span",
      { class: "row-text" },
      element("span", { class: "row-title" }, title),
      element(
        "span",
        { class: "row-meta" },
        [title === episode.label ? "" : episode.label, lengthOf(episode)].filter(Boolean).join(" · "),
      ),
      detail ? element("span", { class: "row-detail" }, detail) : null,
    ),
  );
  const name = { group: group.id, episode: episode.id };
  button.dataset.key = keyOf(name);
  button.addEventListener("click", (event) => {
    if (event.shiftKey) actions.compare(name);
    else actions.open(name);
  });
  return element("li", {}, button);
}

type GroupView = {
  readonly isOpen: boolean;
  readonly matching: number;
  readonly rows: readonly HTMLElement[];
  toggle(isOpen: boolean): void;
  showMore(): void;
};

function makeGroup(group: EpisodeGroup, view: GroupView): HTMLElement {
  const { successes, judged } = countVerdicts(group);
  const score = judged > 0 ? `${successes}/${judged} solved` : `${group.episodes.length} episodes`;
  const share = judged > 0 ? element("span", { class: "share", "aria-hidden": "true" }, element("i", {})) : null;
  share?.style.setProperty("--share", `${(100 * successes) / judged}%`);
  const left = view.matching - view.rows.length;
  const more = element("button", { type: "button", class: "button more" }, `Show more (${left} left)`);
  more.addEventListener("click", view.showMore);
  const root = element(
    "details",
    { open: view.isOpen, class: "group" },
    element(
      "summary",
      {},
      element("span", { class: "group-name", title: group.label }, group.label),
      share,
      element("span", { class: "group-score" }, score),
    ),
    group.problem ? element("p", { class: "problem" }, icon("warning"), group.problem) : null,
    element("ul", {}, ...view.rows),
    left > 0 ? more : null,
    view.matching === 0 && !group.problem ? element("p", { class: "hint" }, "Nothing here matches the filter.") : null,
  );
  root.addEventListener("toggle", () => view.toggle(root.open));
  return root;
}

const verdictLabels: readonly [VerdictFilter, string, string][] = [
  ["all", "All", "All episodes"],
  ["success", "Solved", "Only successes"],
  ["failure", "Failed", "Only failures (F)"],
  ["differs", "Differ", "Solved by one policy and failed by another"],
];

function makeVerdictFilter(onChange: (verdict: VerdictFilter) => void) {
  const buttons = new Map(
    verdictLabels.map(([verdict, label, title]) => {
      const button = element("button", { type: "button", "aria-pressed": String(verdict === "all"), title }, label);
      button.addEventListener("click", () => choose(verdict));
      return [verdict, button] as const;
    }),
  );
  const choose = (verdict: VerdictFilter) => {
    for (const [other, button] of buttons) button.setAttribute("aria-pressed", String(other === verdict));
    onChange(verdict);
  };
  const root = element("div", { class: "segmented", role: "group", "aria-label": "Filter by verdict" });
  root.append(...buttons.values());
  return { root, choose, differs: buttons.get("differs")! };
}

/** The left pane: groups of episodes with a filter. */
export function createEpisodeList(actions: EpisodeListActions): EpisodeList {
  const input = element("input", {
    type: "search",
    placeholder: "Filter episodes",
    "aria-label": "Filter episodes",
    spellcheck: "false",
  });
  const body = element("div", { class: "list-body" });
  const robot = element(
    "button",
    { type: "button", class: "row robot", hidden: true },
    element("span", { class: "mark" }, element("i", { class: "live-dot" })),
    element("span", { class: "row-text" }, element("span", { class: "row-title" }, "Live robot")),
  );
  robot.addEventListener("click", actions.watch);
  const closed = new Set<string>();
  const limits = new Map<string, number>();
  let catalog: Catalog = { path: "", groups: [] };
  let disputed: ReadonlySet<string> = new Set();
  let verdict: VerdictFilter = "all";
  let selected: EpisodeName | null = null;
  let shown: EpisodeRef[] = [];

  const markSelected = () => {
    body.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = selected && body.querySelector<HTMLElement>(`[data-key="${CSS.escape(keyOf(selected))}"]`);
    row?.setAttribute("aria-current", "true");
    return row;
  };
  const drawGroup = (group: EpisodeGroup) => {
    const isTask = isOneTask(group);
    const matching = group.episodes.filter(makeFilter(input.value, verdict, disputed));
    const isOpen = !closed.has(group.id);
    if (isOpen) shown.push(...matching.map((episode) => ({ group, episode })));
    const place = selected?.group === group.id ? matching.findIndex(({ id }) => id === selected?.episode) : -1;
    const limit = Math.max(limits.get(group.id) ?? pageRows, place + 1);
    return makeGroup(group, {
      isOpen,
      matching: matching.length,
      rows: matching.slice(0, limit).map((episode) => makeRow(group, episode, isTask, actions)),
      toggle(opened) {
        if (opened === !closed.has(group.id)) return;
        if (opened) closed.delete(group.id);
        else closed.add(group.id);
        render();
      },
      showMore() {
        limits.set(group.id, limit + pageRows);
        render();
      },
    });
  };
  const render = () => {
    const { scrollTop } = body;
    shown = [];
    body.replaceChildren(...catalog.groups.map(drawGroup));
    markSelected();
    body.scrollTop = scrollTop;
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
      robot,
      element("div", { class: "list-head" }, search, filter.root),
      body,
    ),
    show(next) {
      catalog = next;
      robot.hidden = next.robot === undefined;
      robot.title = next.robot?.replace(/\?.*$/, "") ?? "";
      disputed = findDisputed(next);
      filter.root.hidden = !next.groups.some((group) => countVerdicts(group).judged > 0);
      filter.differs.hidden = disputed.size === 0;
      render();
    },
    select(name) {
      selected = name;
      robot.setAttribute("aria-current", String(name === null));
      if (name === null) return void markSelected();
      if (!markSelected()) render();
      markSelected()?.scrollIntoView({ block: "nearest" });
    },
    neighbour(step) {
      const index = shown.findIndex(
        ({ group, episode }) => group.id === selected?.group && episode.id === selected.episode,
      );
      const next = shown[index < 0 ? 0 : index + step];
      return next ? { group: next.group.id, episode: next.episode.id } : null;
    },
    focusFilter: () => input.focus(),
    toggleFailures: () => filter.choose(verdict === "failure" ? "all" : "failure"),
  };
}
