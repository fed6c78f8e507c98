import { element } from "./dom.ts";
import type { Layer } from "./scene-view.ts";

export type Toolbar = {
  readonly root: HTMLElement;
  setCameras(names: readonly string[]): void;
  nextCamera(): void;
};

const layers: readonly [Layer, string, string][] = [
  ["path", "Path", "Where the effector has been"],
  ["action", "Action", "Commanded move; its length is relative to the episode's largest"],
  ["grid", "Grid", "Floor grid, 10 cm"],
];

/** Over the 3-D view: from where to look, and what is drawn besides the scene. */
export function createToolbar(
  lookFrom: (camera: string | null) => void,
  setLayer: (layer: Layer, isShown: boolean) => void,
): Toolbar {
  const camera = element("select", { "aria-label": "Look from", title: "Look from (C)" });
  const change = () => lookFrom(camera.value || null);
  camera.addEventListener("change", change);
  const toggles = layers.map(([layer, label, title]) => {
    const button = element("button", { type: "button", "aria-pressed": "true", title }, label);
    button.addEventListener("click", () => {
      const isShown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isShown));
      setLayer(layer, isShown);
    });
    return button;
  });
  const show = (names: readonly string[]) => {
    const kept = names.includes(camera.value) ? camera.value : "";
    camera.replaceChildren(
      element("option", { value: "" }, "Free camera"),
      ...names.map((name) => element("option", { value: name }, `Camera: ${name}`)),
    );
    camera.value = kept;
    change();
  };
  show([]);
  return {
    root: element(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "3-D view" },
      camera,
      element("div", { class: "segmented", role: "group", "aria-label": "Layers" }, ...toggles),
    ),
    setCameras: show,
    nextCamera() {
      camera.selectedIndex = (camera.selectedIndex + 1) % camera.length;
      change();
    },
  };
}
