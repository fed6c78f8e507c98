import type { Image } from "#core/contracts/image.ts";
import { ShapeError } from "#core/errors.ts";

const gapPx = 4;
const paper = 245;

/** Lays pictures of one size out in rows, left to right, with a thin light gap. */
export function contactSheet(pictures: readonly Image[], columns: number): Image {
  const [first] = pictures;
  if (!first || columns < 1) throw new ShapeError("contact sheet: needs pictures and columns, got none. Give it some.");
  const { width, height } = first;
  const rows = Math.ceil(pictures.length / columns);
  const sheetWidth = columns * (width + gapPx) + gapPx;
  const sheetHeight = rows * (height + gapPx) + gapPx;
  const data = new Uint8Array(sheetWidth * sheetHeight * 3).fill(paper);
  for (const [index, picture] of pictures.entries()) {
    if (picture.width !== width || picture.height !== height) {
      const got = `${picture.width} x ${picture.height}`;
      throw new ShapeError(`contact sheet: pictures must all be ${width} x ${height}, got ${got}. Draw them alike.`);
    }
    const left = gapPx + (index % columns) * (width + gapPx);
    const top = gapPx + Math.floor(index / columns) * (height + gapPx);
    for (let row = 0; row < height; row++) {
      const line = picture.data.subarray(3 * row * width, 3 * (row + 1) * width);
      data.set(line, 3 * ((top + row) * sheetWidth + left));
    }
  }
  return { data, width: sheetWidth, height: sheetHeight };
}
