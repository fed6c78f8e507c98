import { findComparable, findEpisode, findFirst } from "./episode/catalog-filter.ts";
import { type DeepLink, formatHash, isSameEpisode, liveHash, parseHash } from "./episode/deep-link.ts";
import { type LoadedEpisode, loadEpisode } from "./episode/load-episode.ts";
import type { Playback } from "./episode/playback.ts";
import type { Catalog } from "./episode/viewer-protocol.ts";
import { createLiveBench, type LiveBench } from "./live/live-bench.ts";
import { createCompareSelect } from "./panels/compare-select.ts";
import { element, iconButton } from "./panels/dom.ts";
import { createEpisodeList, type EpisodeName } from "./panels/episode-list.ts";
import { createHelp, listenToKeys } from "./panels/shortcuts.ts";
import { createTransport } from "./panels/transport.ts";
import { createPlayer } from "./player.ts";
import { createWorkbench } from "./workbench.ts";

/** @file Wires the parts: the address names the episode, the clock drives every view. */

export type App = {
  /** Shows a catalogue, the first time with the episode of the address or the first that plays. */
  showCatalog(catalog: Catalog): void;
  showProblem(problem: string): void;
};

/** The address is written at most this often while playing, milliseconds. */
const addressEveryMs = 400;
/** A page that was hidden or slow goes on from where it was, seconds. */
const longestTickS = 0.25;

const longer = (left: readonly number[], right: readonly number[]) =>
  (right.at(-1) ?? 0) > (left.at(-1) ?? 0) ? right : left;

const emptyHelp = (path: string) =>
  `${path} holds nothing to show. Rollouts (*.rollout), recordings (*.mcap) and data sets (LeRobot, RLDS, HDF5) are ` +
  'looked for four folders deep and appear here as soon as they are written; "npm run demo" makes some.';

/** Builds the page inside `root`. */
export function createApp(root: HTMLElement): App {
  let catalog: Catalog | null = null;
  let link: DeepLink | null = null;
  let ticket = 0;
  let writtenMs = 0;

  const player = createPlayer(showInstant);
  const workbench = createWorkbench({ seekTime: player.seekTime, refresh: player.refresh, closeComparison });
  const list = createEpisodeList({
    open(name) {
      // In a narrow window the list lies over the episode.
      if (matchMedia("(max-width: 760px)").matches) root.classList.remove("list-toggled");
      go({ ...name, frame: 0 });
    },
    compare: (name) => compareWith(name),
    watch() {
      history.pushState(null, "", liveHash);
      watch();
    },
  });
  const transport = createTransport(player);
  const compare = createCompareSelect(compareWith);
  const help = createHelp();
  const path = element("span", { class: "path" });
  const main = element("main", {}, workbench.stage, transport.root);
  let live: LiveBench | null = null;
  let isLive = false;
  root.append(
    element(
      "header",
      {},
      iconButton("list", "Show or hide the episode list", () => root.classList.toggle("list-toggled")),
      element("h1", {}, "Armature", element("span", {}, "viewer")),
      path,
      compare.root,
      iconButton("keyboard", "Keys (?)", () => help.showModal()),
    ),
    list.root,
    main,
    workbench.side,
    workbench.plots,
    help,
  );

  function showInstant(playback: Playback | null): void {
    transport.update(playback);
    if (!playback) return;
    workbench.update(playback);
    if (!playback.isPlaying || performance.now() - writtenMs > addressEveryMs) writeAddress(playback.frame());
  }
  function writeAddress(frame: number): void {
    if (!link) return;
    writtenMs = performance.now();
    link = { ...link, frame };
    if (location.hash !== formatHash(link)) history.replaceState(null, "", formatHash(link));
  }

  /** Puts the live robot or the recorded episode into the page. */
  function showLive(next: boolean): void {
    if (next === isLive) return;
    isLive = next;
    if (!live) {
      live = createLiveBench();
      root.append(live.side, live.plots);
    }
    main.replaceChildren(...(isLive ? [live.stage, live.bar] : [workbench.stage, transport.root]));
    for (const part of [live.side, live.plots]) part.hidden = !isLive;
    for (const part of [workbench.side, workbench.plots]) part.hidden = isLive;
    if (!isLive) live.disconnect();
  }
  function watch(): void {
    if (catalog?.robot === undefined) {
      showProblem("This viewer was started without a robot. Pass --robot ADDRESS.");
      return;
    }
    // Whatever is still being loaded is no longer wanted.
    ticket++;
    root.classList.remove("is-loading");
    link = null;
    list.select(null);
    player.load(null, 0);
    compare.offer([], null);
    showLive(true);
    live?.connect(catalog.robot);
    document.title = "Live robot – Armature viewer";
  }

  /** Opens what the link names and puts it into the address. */
  function go(next: DeepLink): void {
    history.pushState(null, "", formatHash(next));
    void open(next);
  }
  function compareWith(name: EpisodeName | null): void {
    if (!link) return;
    const { group, episode } = link;
    go({ group, episode, frame: player.frame(), ...(name ? { compare: name } : {}) });
  }
  function closeComparison(): void {
    if (link?.compare) compareWith(null);
  }

  async function open(next: DeepLink): Promise<void> {
    const mine = ++ticket;
    showLive(false);
    link = next;
    list.select(next);
    root.classList.add("is-loading");
    try {
      const from = catalog ?? { path: "", groups: [] };
      const [first, second] = await Promise.all([
        loadEpisode(from, next.group, next.episode),
        next.compare ? loadEpisode(from, next.compare.group, next.compare.episode) : null,
      ]);
      // A newer choice may have been made while this one was on its way.
      if (mine === ticket) showEpisode(first, second, next.frame);
    } catch (error) {
      if (mine === ticket) showProblem((error as Error).message);
    } finally {
      if (mine === ticket) root.classList.remove("is-loading");
    }
  }
  function showEpisode(first: LoadedEpisode, second: LoadedEpisode | null, frame: number): void {
    const { summary, timestampsS } = first.detail;
    workbench.show(first, second);
    player.load(longer(timestampsS, second?.detail.timestampsS ?? []), frame);
    offerComparisons();
    document.title = `${summary.instruction || summary.label} – Armature viewer`;
  }
  function offerComparisons(): void {
    const open = catalog && link && findEpisode(catalog, link.group, link.episode);
    const chosen = catalog && link?.compare ? findEpisode(catalog, link.compare.group, link.compare.episode) : null;
    compare.offer(catalog && open ? findComparable(catalog, open.group.id, open.episode) : [], chosen);
  }
  function showProblem(problem: string): void {
    showLive(false);
    workbench.showProblem(problem);
    player.load(null, 0);
    compare.offer([], null);
  }

  listenToKeys({
    ...player,
    openNeighbour(by) {
      const neighbour = list.neighbour(by);
      if (neighbour) go({ ...neighbour, frame: 0 });
    },
    closeComparison,
    nextCamera: workbench.nextCamera,
    toggleFailures: list.toggleFailures,
    focusFilter: list.focusFilter,
    showHelp: () => help.showModal(),
  });
  // Both fire for a link that is pasted or edited; the second then finds the episode open.
  for (const event of ["popstate", "hashchange"] as const) {
    addEventListener(event, () => {
      if (location.hash === liveHash) return watch();
      const next = parseHash(location.hash);
      if (!next) return;
      if (link && isSameEpisode(next, link)) player.seekFrame(next.frame);
      else void open(next);
    });
  }
  let lastMs = performance.now();
  const tick = (nowMs: number) => {
    player.tick(Math.min((nowMs - lastMs) / 1000, longestTickS));
    lastMs = nowMs;
    if (isLive) live?.draw();
    else workbench.draw();
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);

  return {
    showProblem,
    showCatalog(next) {
      const isFirst = catalog === null || findFirst(catalog) === null;
      catalog = next;
      path.textContent = path.title = next.path;
      list.show(next);
      if (!isFirst) return offerComparisons();
      const first = findFirst(next);
      const asked = parseHash(location.hash);
      if (location.hash === liveHash || (!asked && !first && next.robot !== undefined)) watch();
      else if (asked) void open(asked);
      else if (first) void open({ group: first.group.id, episode: first.episode.id, frame: 0 });
      else showProblem(next.groups[0]?.problem ?? emptyHelp(next.path));
    },
  };
}
