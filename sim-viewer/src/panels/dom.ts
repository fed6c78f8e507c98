type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | null | undefined;

/** Makes an element; attributes that are `undefined` or `false` are left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

/** Outlines on a 24 by 24 grid, drawn with the text's colour. */
const icons = {
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8 5.5v13M16 5.5v13",
  previous: "M15 6l-6 6 6 6",
  next: "M9 6l6 6-6 6",
  start: "M17 6l-6 6 6 6M7 6v12",
  end: "M7 6l6 6-6 6M17 6v12",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  warning: "M12 4.5l8.5 15h-17zM12 10v4M12 16.8v.2",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  keyboard: "M3.5 7h17v10h-17zM7 10.2v.1M10.3 10.2v.1M13.7 10.2v.1M17 10.2v.1M8 14h8",
  list: "M4 7h16M4 12h16M4 17h16",
  loop: "M17 4l3 3-3 3M20 7H8a4 4 0 0 0-4 4v1M7 20l-3-3 3-3M4 17h12a4 4 0 0 0 4-4v-1",
  link: "M10 14l4-4M8.5 11.5l-2 2a3 3 0 0 0 4.2 4.2l2-2M15.5 12.5l2-2a3 3 0 0 0-4.2-4.2l-2 2",
} as const;

export type IconName = keyof typeof icons;

/** A decorative icon: hidden from screen readers, the button around it carries the words. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", icons[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name: IconName, label: string, onClick: () => void): HTMLButtonElement {
  const button = element(
    "button",
    { type: "button", class: "icon-button", title: label, "aria-label": label },
    icon(name),
  );
  button.addEventListener("click", onClick);
  return button;
}

/** Green and a tick, amber and a cross, or grey: never colour alone. */
export function verdictBadge(success: boolean | null, problem?: string): HTMLElement {
  if (problem !== undefined) return element("span", { class: "badge badge-broken" }, icon("warning"), "Broken");
  if (success === null) return element("span", { class: "badge badge-unknown" }, "Not judged");
  return success
    ? element("span", { class: "badge badge-success" }, icon("check"), "Success")
    : element("span", { class: "badge badge-failure" }, icon("cross"), "Failure");
}
