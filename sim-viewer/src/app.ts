import { createCameraPanel } from "./camera-panel.ts";
import { findComparable, findEpisode } from "./catalog-filter.ts";
import { type DeepLink, formatHash, parseHash } from "./deep-link.ts";
import { element, iconButton } from "./dom.ts";
import { createEpisodeList } from "./episode-list.ts";
import { makeFacts } from "./facts.ts";
import { loadEpisode } from "./load-episode.ts";
import { createPane, type LoadedEpisode, type Pane } from "./pane.ts";
import { createPlayback, type Playback, speeds } from "./playback.ts";
import { createPlots } from "./plots.ts";
import { createHelp, listenToKeys } from "./shortcuts.ts";
import { createToolbar } from "./toolbar.ts";
import { createTransport } from "./transport.ts";
import type { Catalog } from "./viewer-protocol.ts";

/** @file Wires the parts: the address names the episode, the clock drives every view. */

export type App = { showCatalog(catalog: Catalog): void; showProblem(problem: string): void };

type EpisodeName = { readonly group: string; readonly episode: string };

/** The address is written at most this often while playing, milliseconds. */
const addressEveryMs = 400;

const longer = (left: readonly number[], right: readonly number[]) =>
  (right.at(-1) ?? 0) > (left.at(-1) ?? 0) ? right : left;

/** Builds the page inside `root`. */
export function createApp(root: HTMLElement): App {
  let catalog: Catalog = { path: "", groups: [] };
  let current: EpisodeName | null = null;
  let compared: EpisodeName | null = null;
  let loaded: LoadedEpisode | null = null;
  let playback: Playback | null = null;
  let loading = 0;
  let writtenMs = 0;

  const main = createPane();
  let other: Pane | null = null;
  const panes = () => (other ? [main, other] : [main]);
  const pictures = createCameraPanel();
  const otherPictures = createCameraPanel();
  const list = createEpisodeList((group, episode) => go({ group, episode, frame: 0 }));
  const toolbar = createToolbar(
    (camera) => panes().forEach((pane) => void pane.view?.lookFrom(camera)),
    (layer, isShown) => panes().forEach((pane) => void pane.view?.setLayer(layer, isShown)),
  );
  const plots = createPlots((timeS) => {
    playback?.seekTime(timeS);
    if (playback) playback.seekFrame(playback.frame());
    refresh();
  });
  const transport = createTransport({ toggle, step, seekFrame, setSpeed });
  const compare = element("select", { class: "compare", "aria-label": "Compare with", hidden: true });
  const facts = element("div", { class: "facts-slot" });
  const help = createHelp();
  const path = element("span", { class: "path" });
  const stage = element("div", { class: "stage" }, main.root, toolbar.root);
  root.append(
    element(
      "header",
      {},
      iconButton("list", "Show or hide the episode list", () => root.classList.toggle("without-list")),
      element("h1", {}, "Armature", element("span", {}, "viewer")),
      path,
      compare,
      iconButton("keyboard", "Keys (?)", () => help.showModal()),
    ),
    list.root,
    element("main", {}, stage, transport.root),
    element("aside", { "aria-label": "Episode" }, facts, pictures.root, otherPictures.root),
    plots.root,
    help,
  );

  function toggle(): void {
    playback?.toggle();
    refresh();
  }
  function step(frames: number): void {
    if (playback) seekFrame(playback.frame() + frames);
  }
  function seekFrame(frame: number): void {
    playback?.seekFrame(frame);
    refresh();
  }
  function setSpeed(speed: number): void {
    if (playback) playback.speed = speed;
    refresh();
  }
  function changeSpeed(by: number): void {
    const index = speeds.indexOf((playback?.speed ?? 1) as (typeof speeds)[number]);
    setSpeed(speeds[Math.min(Math.max(index + by, 0), speeds.length - 1)]!);
  }

  /** Shows the clock's instant everywhere. */
  function refresh(): void {
    transport.update(playback);
    if (!playback) return;
    const { timeS, isPlaying, speed } = playback;
    for (const pane of panes()) pane.update(timeS);
    pictures.sync(timeS, isPlaying, speed);
    otherPictures.sync(timeS, isPlaying, speed);
    plots.update(timeS);
    if (!isPlaying || performance.now() - writtenMs > addressEveryMs) writeAddress();
  }
  function writeAddress(): void {
    if (!current) return;
    writtenMs = performance.now();
    const link: DeepLink = { ...current, frame: playback?.frame() ?? 0, ...(compared ? { compare: compared } : {}) };
    if (location.hash !== formatHash(link)) history.replaceState(null, "", formatHash(link));
  }

  /** Opens what the link names and puts it into the address. */
  function go(link: DeepLink): void {
    history.pushState(null, "", formatHash(link));
    void open(link);
  }

  async function open(link: DeepLink): Promise<void> {
    const ticket = ++loading;
    const speed = playback?.speed ?? 1;
    current = { group: link.group, episode: link.episode };
    compared = link.compare ?? null;
    list.select(link.group, link.episode);
    root.classList.add("is-loading");
    try {
      const [first, second] = await Promise.all([
        loadEpisode(catalog, link.group, link.episode),
        link.compare ? loadEpisode(catalog, link.compare.group, link.compare.episode) : null,
      ]);
      // A newer choice was made while this one was on its way.
      if (ticket !== loading) return;
      showEpisode(first, second);
      playback = createPlayback(longer(first.detail.timestampsS, second?.detail.timestampsS ?? []), speed);
      playback.seekFrame(link.frame);
      refresh();
    } catch (error) {
      if (ticket === loading) showProblem((error as Error).message);
    } finally {
      if (ticket === loading) root.classList.remove("is-loading");
    }
  }

  function showEpisode(first: LoadedEpisode, second: LoadedEpisode | null): void {
    loaded = first;
    setCompared(second);
    main.show(first);
    toolbar.setCameras(main.view?.cameras() ?? []);
    facts.replaceChildren(makeFacts(first.detail, first.groupLabel));
    const [title, otherTitle] = second ? [first.groupLabel, second.groupLabel] : [];
    pictures.show(first.detail.videos, first.detail.timestampsS, title);
    otherPictures.show(second?.detail.videos ?? [], second?.detail.timestampsS ?? [], otherTitle);
    otherPictures.root.hidden = !second;
    plots.show(first.detail.series, first.detail.timestampsS);
    showComparable();
    document.title = `${first.detail.summary.instruction || first.detail.summary.label} – Armature viewer`;
  }

  function setCompared(second: LoadedEpisode | null): void {
    if (second && !other) {
      other = createPane();
      stage.append(other.root);
      if (main.view) other.view?.follow(main.view);
    }
    stage.classList.toggle("is-split", second !== null);
    if (other) other.root.hidden = second === null;
    if (second) other?.show(second);
  }

  function showComparable(): void {
    const summary = loaded?.detail.summary;
    const choices = summary && current ? findComparable(catalog, current.group, summary) : [];
    compare.hidden = choices.length === 0;
    compare.replaceChildren(
      element("option", { value: "" }, "Compare with…"),
      ...choices.map(({ group, episode }) =>
        element(
          "option",
          {
            value: JSON.stringify({ group: group.id, episode: episode.id }),
            selected: compared?.group === group.id && compared.episode === episode.id,
          },
          `${group.label} · ${episode.success ? "success" : "failure"}`,
        ),
      ),
    );
  }
  compare.addEventListener("change", () => {
    if (!current) return;
    const frame = playback?.frame() ?? 0;
    go(
      compare.value ? { ...current, frame, compare: JSON.parse(compare.value) as EpisodeName } : { ...current, frame },
    );
  });

  function showProblem(problem: string): void {
    loaded = null;
    playback = null;
    setCompared(null);
    main.showProblem(problem);
    facts.replaceChildren();
    pictures.show([], []);
    otherPictures.root.hidden = true;
    plots.show([], []);
    showComparable();
    refresh();
  }

  listenToKeys({
    toggle,
    step,
    seekFrame,
    changeSpeed,
    openNeighbour(by) {
      const neighbour = list.neighbour(by);
      if (neighbour) go({ ...neighbour, frame: 0 });
    },
    nextCamera: () => toolbar.nextCamera(),
    focusFilter: () => list.focusFilter(),
    showHelp: () => help.showModal(),
  });
  for (const event of ["popstate", "hashchange"] as const) {
    addEventListener(event, () => {
      const link = parseHash(location.hash);
      if (!link) return;
      const isOpen =
        link.group === current?.group &&
        link.episode === current.episode &&
        formatHash({ ...link, frame: 0 }) ===
          formatHash({ ...current, frame: 0, ...(compared ? { compare: compared } : {}) });
      if (isOpen) seekFrame(link.frame);
      else void open(link);
    });
  }

  let lastMs = performance.now();
  const tick = (nowMs: number) => {
    const elapsedS = Math.min((nowMs - lastMs) / 1000, 0.25);
    lastMs = nowMs;
    if (playback?.advance(elapsedS)) refresh();
    for (const pane of panes()) pane.view?.draw();
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);

  return {
    showProblem,
    showCatalog(next) {
      catalog = next;
      path.textContent = next.path;
      path.title = next.path;
      list.show(next);
      const first = next.groups.flatMap((group) => group.episodes.map((episode) => ({ group: group.id, episode })));
      const playable = first.find(({ episode }) => episode.problem === undefined) ?? first[0];
      const link = parseHash(location.hash);
      if (link) {
        void open(link);
        if (!findEpisode(next, link.group, link.episode)) list.focusFilter();
      } else if (playable) void open({ group: playable.group, episode: playable.episode.id, frame: 0 });
      else main.showProblem(`${next.path} holds no episode that can be shown.`);
    },
  };
}
