/** @file A page that needs no other file: text, tables, pictures and charts inside. */

export const escapeHtml = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

const style = `
:root { color-scheme: light; --ink: #1b2129; --quiet: #5d6875; --line: #e2e6eb; --tint: #f6f8fa; --accent: #2f5bd0; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: #fff; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 24px 80px; }
h1 { font-size: 28px; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 44px 0 6px; padding-top: 20px; border-top: 1px solid var(--line); }
p { margin: 6px 0 12px; max-width: 78ch; }
.quiet, figcaption, th { color: var(--quiet); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 20px 0 8px; }
.tile { background: var(--tint); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 22px; font-weight: 650; letter-spacing: -0.01em; }
.tile span { color: var(--quiet); font-size: 13px; }
.tile.good b { color: #16794c; } .tile.bad b { color: #b3261e; }
.row { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
figure { margin: 0 0 14px; } figcaption { font-size: 13px; margin-top: 4px; }
img { image-rendering: pixelated; display: block; border-radius: 3px; background: var(--tint); }
.strip { display: flex; gap: 3px; }
table { border-collapse: collapse; font-size: 14px; } td, th { padding: 4px 14px 4px 0; text-align: left; font-weight: 400; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.grid td, .grid th { padding: 2px; text-align: center; font-size: 12px; }
code { background: var(--tint); border: 1px solid var(--line); border-radius: 5px; padding: 1px 5px; font-size: 13px; }
svg { overflow: visible; max-width: 100%; }
`;

export const picture = (source: string, size: number, alt: string): string =>
  `<img src="${source}" width="${size}" height="${size}" alt="${escapeHtml(alt)}">`;

export type Tile = { readonly value: string; readonly label: string; readonly verdict?: boolean | undefined };

const tileClass = (verdict: boolean | undefined) =>
  verdict === undefined ? "tile" : verdict ? "tile good" : "tile bad";

export const tiles = (all: readonly Tile[]): string =>
  `<div class="tiles">${all
    .map(
      ({ value, label, verdict }) =>
        `<div class="${tileClass(verdict)}"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`,
    )
    .join("")}</div>`;

export const section = (title: string, text: string, ...content: readonly string[]): string =>
  `<section><h2>${escapeHtml(title)}</h2><p>${text}</p>${content.join("\n")}</section>`;

export const figure = (content: string, caption: string): string =>
  `<figure>${content}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;

export const row = (...content: readonly string[]): string => `<div class="row">${content.join("\n")}</div>`;

/** Rows of text; the first column names, the others are numbers. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><tr>${head.map((cell) => `<th>${escapeHtml(cell)}</th>`).join("")}</tr>${rows
    .map(
      (cells) =>
        `<tr>${cells.map((cell, index) => `<td${index > 0 ? ' class="number"' : ""}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
    )
    .join("")}</table>`;

export const page = (title: string, ...content: readonly string[]): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${style}</style></head>
<body><main>${content.join("\n")}</main></body></html>
`;
