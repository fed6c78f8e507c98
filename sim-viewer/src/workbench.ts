import type { LoadedEpisode } from "./episode/load-episode.ts";
import type { Playback } from "./episode/playback.ts";
import { type CameraPanel, createCameraPanel } from "./panels/camera-panel.ts";
import { element } from "./panels/dom.ts";
import { makeFacts } from "./panels/facts.ts";
import { createPane, type Pane } from "./panels/pane.ts";
import { createPlots, type PlottedEpisode } from "./panels/plots.ts";
import { createLayers, createToolbar } from "./panels/toolbar.ts";

/** @file Everything that shows one episode, or two side by side: 3-D, pictures, plots and facts. */

export type Workbench = {
  /** The 3-D views with their toolbar. */
  readonly stage: HTMLElement;
  /** Facts and pictures. */
  readonly side: HTMLElement;
  readonly plots: HTMLElement;
  show(first: LoadedEpisode, second: LoadedEpisode | null): void;
  showProblem(problem: string): void;
  /** Brings everything to the clock's instant. */
  update(playback: Playback): void;
  /** Draws the 3-D where something changed. */
  draw(): void;
  nextCamera(): void;
};

export type WorkbenchActions = {
  seekTime(timeS: number): void;
  closeComparison(): void;
  /** A layer or view was switched: show the present instant again. */
  refresh(): void;
};

const toPlotted = ({ detail, groupLabel, log }: LoadedEpisode): PlottedEpisode => ({
  label: groupLabel,
  series: detail.series,
  timestampsS: detail.timestampsS,
  chunks: log?.chunks ?? null,
});

/** Builds the empty parts. */
export function createWorkbench(actions: WorkbenchActions): Workbench {
  const main = createPane();
  let other: Pane | null = null;
  let isSplit = false;
  const panes = () => (other && isSplit ? [main, other] : [main]);
  const layers = createLayers((layer, isShown) => {
    for (const pane of panes()) pane.view?.setLayer(layer, isShown);
    actions.refresh();
  });
  const toolbar = createToolbar((camera) => {
    for (const pane of panes()) pane.view?.lookFrom(camera);
  }, layers);
  const pictures = createCameraPanel(layers.isShown);
  const otherPictures = createCameraPanel(layers.isShown);
  const plots = createPlots(actions.seekTime);
  const facts = element("div", {});
  const stage = element("div", { class: "stage" }, main.root, toolbar.root);
  const side = element("aside", { "aria-label": "Episode" }, facts, pictures.root, otherPictures.root);

  const openOther = () => {
    if (other) return other;
    other = createPane(actions.closeComparison);
    stage.append(other.root);
    if (main.view) other.view?.follow(main.view);
    return other;
  };
  const split = (isTwo: boolean) => {
    isSplit = isTwo;
    stage.classList.toggle("is-split", isSplit);
    if (isSplit) openOther();
    if (other) other.root.hidden = !isSplit;
  };
  /** Pictures stand beside the 3-D, or in its place where an episode has none. */
  const place = (pane: Pane, episode: LoadedEpisode, panel: CameraPanel) => {
    if (!pane.show(episode, panel.isEmpty() ? null : panel.root)) side.append(panel.root);
    pane.view?.setPictures(panel.drawnPictures());
  };
  return {
    stage,
    side,
    plots: plots.root,
    show(first, second) {
      split(second !== null);
      pictures.show(first, second ? first.groupLabel : undefined);
      otherPictures.show(second, second?.groupLabel);
      otherPictures.root.hidden = !isSplit;
      place(main, first, pictures);
      if (second && other) place(other, second, otherPictures);
      const shown = [main.view?.content, isSplit ? other?.view?.content : null].filter((content) => content != null);
      toolbar.root.hidden = shown.length === 0;
      toolbar.offer(main.view?.content?.cameras ?? [], new Set(shown.flatMap((content) => [...content.layers.keys()])));
      facts.replaceChildren(makeFacts(first.detail, first.groupLabel));
      plots.show(toPlotted(first), second && toPlotted(second));
    },
    showProblem(problem) {
      split(false);
      main.showProblem(problem);
      toolbar.root.hidden = true;
      facts.replaceChildren();
      pictures.show(null);
      otherPictures.show(null);
      plots.show(null, null);
    },
    update({ timeS, isPlaying, speed }) {
      for (const pane of panes()) pane.update(timeS);
      pictures.sync(timeS, isPlaying, speed);
      otherPictures.sync(timeS, isPlaying, speed);
      plots.update(timeS);
    },
    draw() {
      for (const pane of panes()) pane.view?.draw();
    },
    nextCamera: toolbar.nextCamera,
  };
}
