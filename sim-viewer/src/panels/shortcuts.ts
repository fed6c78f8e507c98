import { element } from "./dom.ts";

export type ShortcutActions = {
  toggle(): void;
  step(frames: number): void;
  seekFrame(frame: number): void;
  changeSpeed(step: number): void;
  openNeighbour(step: number): void;
  nextCamera(): void;
  toggleLoop(): void;
  toggleFailures(): void;
  closeComparison(): void;
  focusFilter(): void;
  showHelp(): void;
};

const help: readonly [string, string][] = [
  ["Space", "Play or pause"],
  ["← →", "One frame back or on"],
  ["Shift ← →", "Ten frames back or on"],
  ["Home End", "First or last frame"],
  ["↑ ↓", "Previous or next episode"],
  ["− +", "Slower or faster"],
  ["L", "Play in a loop"],
  ["C", "Next camera view"],
  ["F", "Only failures, or all"],
  ["Shift click", "Compare with the open episode"],
  ["Esc", "Close the comparison"],
  ["/", "Filter the list"],
  ["?", "This help"],
];

/** The dialog that lists the keys. */
export function createHelp(): HTMLDialogElement {
  const rows = help.map(([keys, meaning]) =>
    element("div", {}, element("kbd", {}, keys), element("span", {}, meaning)),
  );
  const close = element("button", { type: "submit", class: "button" }, "Close");
  return element(
    "dialog",
    { class: "help", "aria-label": "Keys" },
    element("form", { method: "dialog" }, element("h2", {}, "Keys"), ...rows, close),
  );
}

/** Keys that a focused control needs for itself are left to it. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox") return true;
  const isPressable = target.matches("button, summary, input[type=checkbox]");
  return isPressable && (key === " " || key === "Enter") && !target.matches(".row, .play");
}

/** Listens to the whole page. */
export function listenToKeys(actions: ShortcutActions): void {
  const byKey: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
    " ": actions.toggle,
    ArrowLeft: (event) => actions.step(event.shiftKey ? -10 : -1),
    ArrowRight: (event) => actions.step(event.shiftKey ? 10 : 1),
    ArrowUp: () => actions.openNeighbour(-1),
    ArrowDown: () => actions.openNeighbour(1),
    Home: () => actions.seekFrame(0),
    End: () => actions.seekFrame(Number.POSITIVE_INFINITY),
    "-": () => actions.changeSpeed(-1),
    "+": () => actions.changeSpeed(1),
    "=": () => actions.changeSpeed(1),
    c: actions.nextCamera,
    l: actions.toggleLoop,
    f: actions.toggleFailures,
    Escape: actions.closeComparison,
    "/": actions.focusFilter,
    "?": actions.showHelp,
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target instanceof HTMLInputElement) return event.target.blur();
    if (document.querySelector("dialog[open]")) return;
    const action = byKey[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target, event.key)) return;
    event.preventDefault();
    action(event);
  });
}
