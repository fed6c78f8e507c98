import { describe, expect, it } from "@jest/globals";
import { FormatError } from "#core/errors.ts";
import { decodePng, encodePng } from "#core/image/png.ts";

const image = { data: Uint8Array.from({ length: 2 * 3 * 3 }, (_, index) => (index * 37) % 256), height: 2, width: 3 };

describe("png", () => {
  it("keeps every byte", () => {
    expect(decodePng(encodePng(image))).toEqual(image);
  });

  it("refuses bytes that were cut", () => {
    const bytes = encodePng(image);
    expect(() => decodePng(bytes.subarray(0, bytes.length - 20), "a.png")).toThrow(FormatError);
    expect(() => decodePng(new Uint8Array(0), "a.png")).toThrow("a.png: must be a whole PNG");
  });
});
