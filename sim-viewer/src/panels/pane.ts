import type { LoadedEpisode } from "../episode/load-episode.ts";
import { frameTimeAt } from "../episode/playback.ts";
import { findPath } from "../episode/signals.ts";
import type { Traces } from "../episode/traces.ts";
import type { Content } from "../three/content.ts";
import { pathContent } from "../three/path-content.ts";
import { rolloutContent } from "../three/rollout-content.ts";
import { createSceneView, type SceneView } from "../three/scene-view.ts";
import { element, iconButton, verdictBadge } from "./dom.ts";

/** One 3-D view with its caption; two of them stand side by side when rollouts are compared. */
export type Pane = {
  readonly root: HTMLElement;
  readonly view: SceneView | null;
  /** @param pictures take the whole pane where the episode has no 3-D @returns whether they do */
  show(episode: LoadedEpisode, pictures: HTMLElement | null): boolean;
  showProblem(problem: string): void;
  /** @param timeS of the shared clock; a shorter episode stands at its end */
  update(timeS: number): void;
};

const noModel = "This episode has neither a scene for a 3-D view nor camera pictures. Its plots still play.";
const pathOnly = "No model of the robot is there: drawn is the path of the positions in";
const noWebGl = "This browser gives the page no WebGL, so there is no 3-D view. Pictures and plots still play.";

function tryCreateView(container: HTMLElement): SceneView | null {
  try {
    return createSceneView(container, "3-D view of the episode");
  } catch {
    return null;
  }
}

/** What the 3-D view can show of an episode, and what to say about it. */
function makeContent({ detail, log, traces, problem }: LoadedEpisode): { content: Content | null; text: string } {
  if (log !== null) return { content: rolloutContent(log, traces), text: "" };
  const path = findPath(detail.series);
  if (path === null) return { content: null, text: problem ?? noModel };
  const { rateHz } = detail.summary;
  const bare: Traces = { positions: path.positions, rateHz, hasPredictions: false, predicted: () => null };
  return { content: pathContent(bare), text: `${pathOnly} ${path.name}.` };
}

function makeCaption({ detail, groupLabel }: LoadedEpisode, close: (() => void) | null): HTMLElement[] {
  const { summary } = detail;
  const origin = [groupLabel, summary.label].filter(Boolean).join(" · ");
  const button = close && iconButton("cross", "Close the comparison (Escape)", close);
  button?.classList.add("caption-close");
  return [
    element(
      "div",
      { class: "caption-line" },
      verdictBadge(summary.success),
      element("span", { class: "caption-origin" }, origin),
      button,
    ),
    element("p", { class: "caption-instruction" }, summary.instruction || summary.label),
  ];
}

/** Makes an empty pane. @param close shown as a button, where the pane can be closed */
export function createPane(close: (() => void) | null = null): Pane {
  const caption = element("div", { class: "caption" });
  const message = element("p", { class: "pane-message", role: "status" });
  const note = element("p", { class: "pane-note", hidden: true });
  const root = element("section", { class: "pane", "aria-label": "3-D view" }, caption, message, note);
  const view = tryCreateView(root);
  let timestampsS: readonly number[] = [];
  let shownSuite = "";

  const say = (text: string | null) => {
    message.hidden = text === null;
    message.textContent = text;
    root.classList.toggle("is-empty", text !== null);
  };
  const display = (content: Content | null, suite: string) => {
    view?.show(content, suite !== "" && suite === shownSuite);
    shownSuite = content === null ? "" : suite;
  };
  say(view === null ? noWebGl : "Choose an episode from the list.");
  return {
    root,
    view,
    show(episode, pictures) {
      timestampsS = episode.detail.timestampsS;
      caption.replaceChildren(...makeCaption(episode, close));
      const { content, text } = view === null ? { content: null, text: noWebGl } : makeContent(episode);
      display(content, episode.log?.instance.suite ?? "");
      const isFilm = content === null && pictures !== null;
      if (isFilm) root.append(pictures);
      root.classList.toggle("is-film", isFilm);
      say(content === null && !isFilm ? text : null);
      root.classList.toggle("is-empty", content === null);
      const remark = content === null ? (view === null ? noWebGl : (episode.problem ?? "")) : text;
      note.hidden = remark === "" || (content === null && !isFilm);
      note.textContent = remark;
      return isFilm;
    },
    showProblem(problem) {
      caption.replaceChildren();
      root.classList.remove("is-film");
      note.hidden = true;
      timestampsS = [];
      display(null, "");
      say(problem);
    },
    update(timeS) {
      view?.update(frameTimeAt(timestampsS, timeS));
    },
  };
}
