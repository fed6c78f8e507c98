import { describe, expect, it } from "@jest/globals";
import { contactSheet } from "#world/gallery/sheet.ts";

const picture = (value: number) => ({ data: new Uint8Array(3 * 4).fill(value), width: 2, height: 2 });

describe("contactSheet", () => {
  it("lays pictures out in rows with gaps between", () => {
    const { data, width, height } = contactSheet([picture(10), picture(20), picture(30)], 2);
    expect([width, height]).toEqual([16, 16]);
    const at = (x: number, y: number) => data[3 * (y * width + x)];
    expect([at(4, 4), at(5, 5), at(10, 4), at(4, 10), at(10, 10), at(0, 0), at(7, 4)]).toEqual([
      10, 10, 20, 30, 245, 245, 245,
    ]);
  });

  it("refuses pictures of several sizes and none at all", () => {
    expect(() => contactSheet([], 2)).toThrow("needs pictures and columns");
    const wide = { data: new Uint8Array(18), width: 3, height: 2 };
    expect(() => contactSheet([picture(1), wide], 2)).toThrow("must all be 2 x 2, got 3 x 2");
  });
});
