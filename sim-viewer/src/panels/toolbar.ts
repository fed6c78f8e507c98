import { cssColor, traceColors } from "../episode/trace-colors.ts";
import type { Layer } from "../three/content.ts";
import { element } from "./dom.ts";

export type Toolbar = {
  readonly root: HTMLElement;
  /** Offers the cameras and layers that the shown episode has; what is chosen stays chosen where it can. */
  offer(cameras: readonly string[], layers: ReadonlySet<Layer>): void;
  nextCamera(): void;
};

const layerButtons: readonly [Layer, string, string][] = [
  ["past", "Past", "Where the effector has been"],
  ["ahead", "Ahead", "Where it goes in the next two seconds"],
  ["predicted", "Predicted", "Where the newest action chunk of the policy meant to go"],
  ["action", "Action", "Commanded move; its length is relative to the episode's largest"],
  ["grid", "Grid", "Floor grid, 10 cm"],
];

function makeToggle([layer, label, title]: (typeof layerButtons)[number], setLayer: Layers["set"]): HTMLElement {
  const swatch = element("i", {});
  if (layer in traceColors) {
    const [from, to] = traceColors[layer as keyof typeof traceColors];
    swatch.style.setProperty("--color", cssColor(layer === "past" ? to : from));
  }
  const button = element("button", { type: "button", class: "layer", "aria-pressed": "true", title }, swatch, label);
  button.addEventListener("click", () => {
    const isShown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isShown));
    setLayer(layer, isShown);
  });
  return button;
}

/** Which layers are on, shared by the 3-D views and the pictures. */
export type Layers = { isShown(layer: Layer): boolean; set(layer: Layer, isShown: boolean): void };

/** @param onChange called after every change */
export function createLayers(onChange: (layer: Layer, isShown: boolean) => void): Layers {
  const hidden = new Set<Layer>();
  return {
    isShown: (layer) => !hidden.has(layer),
    set(layer, isShown) {
      if (isShown) hidden.delete(layer);
      else hidden.add(layer);
      onChange(layer, isShown);
    },
  };
}

/** Over the 3-D view: from where to look, and what is drawn besides the scene. */
export function createToolbar(lookFrom: (camera: string | null) => void, layers: Layers): Toolbar {
  const camera = element("select", { "aria-label": "Look from", title: "Look from (C)" });
  const change = () => lookFrom(camera.value || null);
  camera.addEventListener("change", change);
  const toggles = new Map(layerButtons.map((entry) => [entry[0], makeToggle(entry, layers.set)]));
  return {
    root: element(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "3-D view" },
      camera,
      element("div", { class: "segmented", role: "group", "aria-label": "Layers" }, ...toggles.values()),
    ),
    offer(names, available) {
      const kept = names.includes(camera.value) ? camera.value : "";
      camera.replaceChildren(
        element("option", { value: "" }, "Free camera"),
        ...names.map((name) => element("option", { value: name }, `Camera: ${name}`)),
      );
      camera.value = kept;
      camera.hidden = names.length === 0;
      for (const [layer, button] of toggles) button.hidden = layer !== "grid" && !available.has(layer);
      change();
    },
    nextCamera() {
      if (camera.length === 0) return;
      camera.selectedIndex = (camera.selectedIndex + 1) % camera.length;
      change();
    },
  };
}
