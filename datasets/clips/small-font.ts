/** @file A font of 3 x 5 pixels for labels in pictures. */
import type { Image } from "#core/contracts/image.ts";

export const textHeight = 5;
const advance = 4;

/** Rows from top to bottom, each an octal digit: 4 is the left pixel, 1 the right one. */
const glyphs: Readonly<Record<string, string>> = {
  ...{ a: "25755", b: "65656", c: "34443", d: "65556", e: "74647", f: "74644", g: "34553", h: "55755", i: "72227" },
  ...{ j: "11152", k: "55655", l: "44447", m: "57755", n: "65555", o: "25552", p: "65644", q: "25531", r: "65655" },
  ...{ s: "34216", t: "72222", u: "55557", v: "55552", w: "55775", x: "55255", y: "55222", z: "71247" },
  ...{ "0": "75557", "1": "26227", "2": "61247", "3": "61216", "4": "55711", "5": "74616", "6": "34757" },
  ...{ "7": "71122", "8": "75757", "9": "75716", ".": "00002", ",": "00024", ":": "02020", "-": "00700" },
  ...{ _: "00007", "/": "11244", "@": "25743", "%": "51245", "(": "24442", ")": "21112", "'": "22000" },
};

/** Writes `text` into a picture, in place; what has no glyph is left blank, what lies outside is cut off. */
export function drawText(
  picture: Image,
  text: string,
  {
    x,
    y,
    scale,
    colour,
  }: { readonly x: number; readonly y: number; readonly scale: number; readonly colour: readonly number[] },
): void {
  for (const [index, letter] of [...text.toLowerCase()].entries()) {
    for (const [row, digit] of [...(glyphs[letter] ?? "")].entries()) {
      for (let column = 0; column < 3; column++) {
        if ((Number(digit) & (4 >> column)) === 0) continue;
        fill(picture, x + (index * advance + column) * scale, y + row * scale, scale, colour);
      }
    }
  }
}

function fill({ data, height, width }: Image, x: number, y: number, size: number, colour: readonly number[]): void {
  for (let row = y; row < Math.min(y + size, height); row++) {
    for (let column = x; column < Math.min(x + size, width); column++) data.set(colour, (row * width + column) * 3);
  }
}
