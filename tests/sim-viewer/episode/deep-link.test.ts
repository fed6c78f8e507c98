import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { formatHash, isSameEpisode, parseHash } from "#sim-viewer/src/episode/deep-link.ts";

describe("formatHash and parseHash", () => {
  it("reads as group, episode and frame", () => {
    expect(formatHash({ group: "lapa", episode: "episode_0003", frame: 22 })).toBe("#lapa/episode_0003/22");
  });

  it("are inverse for any names", () => {
    const name = fc.string({ minLength: 1, unit: "grapheme" });
    const pair = fc.record({ group: name, episode: name });
    const frame = fc.nat({ max: 999_999_999 });
    fc.assert(
      fc.property(pair, frame, fc.option(pair), (episode, at, other) => {
        const link = { ...episode, frame: at, ...(other ? { compare: other } : {}) };
        expect(parseHash(formatHash(link))).toEqual(link);
      }),
    );
  });

  it.each(["", "#", "#group", "#group/", "#/episode/3", "#%E0%A4%A/episode"])("names no episode in %p", (hash) => {
    expect(parseHash(hash)).toBeNull();
  });

  it.each(["#g/e", "#g/e/", "#g/e/-3", "#g/e/1.5", "#g/e/x", "#g/e/99999999999"])("starts %p at frame 0", (hash) => {
    expect(parseHash(hash)).toEqual({ group: "g", episode: "e", frame: 0 });
  });

  it.each(["#g/e/2?with=", "#g/e/2?with=h", "#g/e/2?with=%/f", "#g/e/2?other=h/f"])(
    "compares nothing in %p",
    (hash) => {
      expect(parseHash(hash)).toEqual({ group: "g", episode: "e", frame: 2 });
    },
  );
});

describe("isSameEpisode", () => {
  const link = { group: "g", episode: "e", frame: 1 };
  it("looks past the frame and not past the comparison", () => {
    expect(isSameEpisode(link, { ...link, frame: 9 })).toBe(true);
    expect(isSameEpisode(link, { ...link, episode: "f" })).toBe(false);
    expect(isSameEpisode(link, { ...link, compare: { group: "h", episode: "e" } })).toBe(false);
  });
});
