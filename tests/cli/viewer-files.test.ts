import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { isInside, parseRange, pathInside } from "#cli/viewer-files.ts";

describe("parseRange", () => {
  it.each([
    ["bytes=0-99", { start: 0, end: 99 }],
    ["bytes=900-", { start: 900, end: 999 }],
    ["bytes=900-5000", { start: 900, end: 999 }],
    ["bytes=-100", { start: 900, end: 999 }],
    ["bytes=-5000", { start: 0, end: 999 }],
    ["bytes=1000-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-2", null],
    ["bytes=0-1,5-6", null],
    ["bytes=-", null],
    ["items=0-1", null],
    [undefined, null],
  ])("reads %p of 1000 bytes", (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it("has no range in an empty file", () => {
    expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
    expect(parseRange("bytes=-5", 0)).toBe("unsatisfiable");
  });

  it("never leaves the file", () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat()), fc.option(fc.nat()), (size, first, last) => {
        const range = parseRange(`bytes=${first ?? ""}-${last ?? ""}`, size);
        if (range === null || range === "unsatisfiable") return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeLessThan(size);
        expect(range.start).toBeLessThanOrEqual(range.end);
      }),
    );
  });
});

describe("pathInside", () => {
  it.each([
    ["episode.mp4", "/runs/a/episode.mp4"],
    ["videos/front.mp4", "/runs/a/videos/front.mp4"],
    ["x/../front.mp4", "/runs/a/front.mp4"],
    ["../a/front.mp4", "/runs/a/front.mp4"],
  ])("finds %p", (name, path) => {
    expect(pathInside("/runs/a", name)).toBe(path);
  });

  it.each(["..", "../ab/x", "../../etc/passwd", "/etc/passwd", "a\\..\\b", "a\0b", ".", ""])("refuses %p", (name) => {
    expect(pathInside("/runs/a", name)).toBeNull();
  });
});

describe("isInside", () => {
  it("is no question of a common beginning", () => {
    expect(isInside("/runs/a", "/runs/a/b")).toBe(true);
    expect(isInside("/runs/a", "/runs/ab")).toBe(false);
    expect(isInside("/runs/a", "/runs/a/../b")).toBe(false);
  });
});
