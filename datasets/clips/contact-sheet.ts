/** @file Clips as one picture to look at: a row each, frames from left to right in time, kept ones and dropped ones. */
import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { decodeVideo } from "../video/decode.ts";
import type { Selection } from "./select-clips.ts";
import { drawText, textHeight } from "./small-font.ts";

/** Side of a frame, frames in a row, rows of kept and of dropped clips at most. */
const [side, columns, mostRows] = [96, 6, 24];
const labelHeight = 2 * textHeight + 6;
const gap = 16;
const colours = { kept: [60, 190, 90], dropped: [225, 95, 70], background: [24, 26, 30] } as const;

type Row = { path: string; startS: number | undefined; endS: number | undefined; label: string; kept: boolean };

/** At most `mostRows` of them, spread evenly. */
const sample = <T>(items: readonly T[]): T[] =>
  items.length <= mostRows
    ? [...items]
    : Array.from({ length: mostRows }, (_, row) => items[Math.floor((row * items.length) / mostRows)]!);

function rowsOf({ clips, dropped }: Selection): Row[] {
  return [
    ...sample(clips).map(({ name, path, startS, endS }) => ({ path, startS, endS, kept: true, label: name })),
    ...sample(dropped).map(({ name, path, startS, endS, reason, detail }) => ({
      ...{ path, kept: false, label: `${reason}: ${name}  ${reason === "unusable" ? "" : detail}` },
      ...(endS > startS ? { startS, endS } : { startS: undefined, endS: undefined }),
    })),
  ];
}

/** Frames spread over a clip; fewer where it has fewer, none where it cannot be decoded. */
async function framesOf({ path, startS, endS }: Row, signal?: AbortSignal): Promise<Image[]> {
  const range = { ...(startS === undefined ? {} : { startS }), ...(endS === undefined ? {} : { endS }) };
  const frames: Image[] = [];
  // Every other frame is thrown away whenever twice as many as needed are held: memory stays bounded, the spread even.
  let [every, seen] = [1, 0];
  try {
    for await (const frame of decodeVideo(path, { size: side, ...range, ...(signal ? { signal } : {}) })) {
      if (seen++ % every !== 0) continue;
      frames.push(frame);
      if (frames.length < 4 * columns) continue;
      for (let index = 0; index < frames.length / 2; index++) frames[index] = frames[2 * index]!;
      frames.length /= 2;
      every *= 2;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  const count = Math.min(columns, frames.length);
  return Array.from(
    { length: count },
    (_, column) => frames[Math.round((column * (frames.length - 1)) / Math.max(1, count - 1))]!,
  );
}

/**
 * Draws the sheet: kept clips (green) in the left half, dropped ones (red) with their reason in the right, at most 24
 * rows of each.
 */
export async function contactSheet(selection: Selection, signal?: AbortSignal): Promise<Image> {
  const rows = rowsOf(selection);
  const halves = [rows.filter(({ kept }) => kept), rows.filter(({ kept }) => !kept)];
  const [rowHeight, halfWidth] = [side + labelHeight, columns * side + gap];
  const height = Math.max(1, ...halves.map((half) => half.length)) * rowHeight + gap;
  const sheet: Image = { data: new Uint8Array(height * 2 * halfWidth * 3), height, width: 2 * halfWidth };
  for (let pixel = 0; pixel < height * sheet.width; pixel++) sheet.data.set(colours.background, pixel * 3);
  for (const [half, list] of halves.entries()) {
    for (const [number, row] of list.entries()) {
      const [x, y] = [half * halfWidth + gap / 2, number * rowHeight + gap / 2];
      const label = row.label.slice(0, Math.floor((columns * side) / 8));
      drawText(sheet, label, { x, y, scale: 2, colour: row.kept ? colours.kept : colours.dropped });
      const frames = await framesOf(row, signal);
      for (const [column, frame] of frames.entries()) paste(sheet, frame, x + column * side, y + labelHeight - 4);
    }
  }
  return sheet;
}

function paste(sheet: Image, { data, height, width }: Image, x: number, y: number): void {
  for (let row = 0; row < height; row++) {
    sheet.data.set(data.subarray(row * width * 3, (row + 1) * width * 3), ((y + row) * sheet.width + x) * 3);
  }
}
