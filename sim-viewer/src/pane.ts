import type { RolloutLog } from "#world/scene/rollout-log.ts";
import { element, verdictBadge } from "./dom.ts";
import { frameTimeAt } from "./playback.ts";
import { createSceneView, type SceneView } from "./scene-view.ts";
import { findPath } from "./signals.ts";
import type { EpisodeDetail } from "./viewer-protocol.ts";

/** An episode with everything that its pane draws. */
export type LoadedEpisode = {
  readonly detail: EpisodeDetail;
  readonly groupLabel: string;
  readonly log: RolloutLog | null;
  /** Why there is no 3-D although a rollout was named. */
  readonly problem: string | null;
};

/** One 3-D view with its caption; two of them stand side by side when rollouts are compared. */
export type Pane = {
  readonly root: HTMLElement;
  readonly view: SceneView | null;
  show(episode: LoadedEpisode): void;
  showProblem(problem: string): void;
  /** @param timeS of the shared clock; a shorter episode stands at its end */
  update(timeS: number): void;
};

const noModel =
  "No 3-D for this episode: the data set brings no scene and no model of its robot. Camera pictures and plots still play.";
const pathOnly = "The data set brings no model of its robot: drawn is the path of the positions in";

function tryCreateView(container: HTMLElement): SceneView | string {
  try {
    return createSceneView(container, "3-D view of the episode");
  } catch {
    return "This browser gives the page no WebGL, so there is no 3-D view. Pictures and plots still play.";
  }
}

/** Makes an empty pane. */
export function createPane(): Pane {
  const caption = element("div", { class: "caption" });
  const message = element("p", { class: "pane-message", role: "status" });
  const note = element("p", { class: "pane-note", hidden: true });
  const root = element("section", { class: "pane", "aria-label": "3-D view" }, caption, message, note);
  const made = tryCreateView(root);
  const view = typeof made === "string" ? null : made;
  let timestampsS: readonly number[] = [];

  const say = (text: string | null) => {
    message.hidden = text === null;
    message.textContent = text;
    if (text !== null) view?.clear();
    root.classList.toggle("is-empty", text !== null);
  };
  say(view === null ? (made as string) : "Choose an episode from the list.");
  return {
    root,
    view,
    show({ detail, groupLabel, log, problem }) {
      const { summary } = detail;
      timestampsS = detail.timestampsS;
      const origin = [groupLabel, summary.label].filter(Boolean).join(" · ");
      caption.replaceChildren(
        element(
          "div",
          { class: "caption-line" },
          verdictBadge(summary.success),
          element("span", { class: "caption-origin" }, origin),
        ),
        element("p", { class: "caption-instruction" }, summary.instruction || summary.label),
      );
      note.hidden = true;
      if (view === null) return;
      const path = log === null ? findPath(detail.series) : null;
      if (log === null && path === null) return say(problem ?? noModel);
      say(null);
      if (log !== null) view.showRollout(log);
      if (path === null) return;
      view.showPath(path.positions);
      note.hidden = false;
      note.textContent = `${pathOnly} ${path.name}.`;
    },
    showProblem(problem) {
      caption.replaceChildren();
      note.hidden = true;
      timestampsS = [];
      say(problem);
    },
    update(timeS) {
      view?.update(frameTimeAt(timestampsS, timeS));
    },
  };
}
