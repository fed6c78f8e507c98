import type { JointState, JointTrajectory } from "#robot-bridge/protocol/messages.ts";
import { element } from "../panels/dom.ts";
import { createLayers, createToolbar } from "../panels/toolbar.ts";
import { createSceneView, type SceneView } from "../three/scene-view.ts";
import { createLiveContent, type LiveContent } from "./live-content.ts";
import type { LivePictures } from "./live-pictures.ts";

/** The 3-D view of a robot, as soon as it described itself; before that its pictures, or words. */
export type LivePane = {
  readonly root: HTMLElement;
  /** @throws Error when the URDF holds no robot or the browser gives no WebGL */
  describe(urdf: string): void;
  joints(state: JointState): void;
  /** @param command whose way is drawn ahead; `null`: none */
  command(command: JointTrajectory | null): void;
  /** Puts the pictures where they belong. @param elsewhere where they stand beside a 3-D view @param words instead of both */
  place(pictures: LivePictures, elsewhere: HTMLElement, words: string): void;
  draw(): void;
  clear(): void;
};

/** Makes an empty pane. @param caption stands over it */
export function createLivePane(caption: HTMLElement): LivePane {
  const message = element("p", { class: "pane-message", role: "status" });
  const note = element("p", { class: "pane-note", hidden: true });
  const pane = element("section", { class: "pane is-empty", "aria-label": "3-D view" }, caption, message, note);
  let view: SceneView | null = null;
  let content: LiveContent | null = null;
  const layers = createLayers((layer, isShown) => view?.setLayer(layer, isShown));
  const toolbar = createToolbar(() => {}, layers);
  return {
    root: element("div", { class: "stage" }, pane, toolbar.root),
    describe(urdf) {
      view ??= createSceneView(pane, "3-D view of the robot");
      content = createLiveContent(urdf);
      view.show(content, false);
      toolbar.offer([], new Set(content.layers.keys()));
      const { missingMeshes } = content;
      note.textContent = `${missingMeshes} meshes of the description are files on the robot: drawn as bones.`;
      note.hidden = missingMeshes === 0;
    },
    joints({ names, positions }) {
      content?.setJoints(names, positions);
      view?.update({ frame: 0, fraction: 0 });
    },
    command: (command) => content?.setCommand(command),
    place(pictures, elsewhere, words) {
      const isFilm = content === null && !pictures.isEmpty();
      const home = isFilm ? pane : elsewhere;
      if (pictures.root.parentElement !== home) home.append(pictures.root);
      pane.classList.toggle("is-film", isFilm);
      pane.classList.toggle("is-empty", content === null);
      message.hidden = content !== null || isFilm;
      message.textContent = words;
      toolbar.root.hidden = content === null;
    },
    draw: () => view?.draw(),
    clear() {
      view?.show(null, false);
      content = null;
    },
  };
}
