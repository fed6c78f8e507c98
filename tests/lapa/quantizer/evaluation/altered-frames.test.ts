import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import {
  distractorNames,
  drawPartners,
  framesOfPictures,
  readFrames,
  reversed,
  still,
  withDistractor,
} from "#lapa/quantizer/evaluation/altered-frames.ts";
import { frameDifferences } from "#lapa/quantizer/evaluation/probes.ts";

const pairs = {
  length: 3,
  clip: Int32Array.of(0, 0, 1),
  first: Int32Array.of(0, 1, 2),
  second: Int32Array.of(4, 5, 6),
};
/** Grey pictures whose level is 10 times the clip plus the frame. */
const grey = {
  size: 16,
  clips: [],
  read: (clip: number, frame: number, out: Uint8Array, offset: number) => {
    out.fill(10 * clip + frame, offset, offset + 768);
  },
};

describe("altered pairs", () => {
  it("play backwards, or stand still", () => {
    expect(reversed(pairs)).toEqual({ ...pairs, first: pairs.second, second: pairs.first });
    expect(still(pairs)).toEqual({ ...pairs, second: pairs.first });
  });

  it("join any two pictures", () => {
    const first = readFrames(grey, pairs, "first");
    const joined = framesOfPictures(16, first, readFrames(grey, pairs, "second"));
    expect(readFrames(joined.frames, joined.pairs, "second")[2 * 768]).toBe(16);
    expect(readFrames(joined.frames, joined.pairs, "first")).toEqual(first);
  });

  it("find partners in other clips where there are some", () => {
    const partners = drawPartners(pairs, createRng(1));
    expect([...partners].map((other, pair) => pairs.clip[other] !== pairs.clip[pair])).toEqual([true, true, true]);
    expect(drawPartners({ ...pairs, clip: new Int32Array(3) }, createRng(1)).length).toBe(3);
  });
});

describe.each(distractorNames)("with %s", (name) => {
  const striped = {
    ...grey,
    read: (_: number, __: number, out: Uint8Array, offset: number) => {
      for (let at = 0; at < 768; at++) out[offset + at] = Math.floor(at / 3) % 16;
    },
  };
  const look = (clip: number, frame: number) => {
    const out = new Uint8Array(768 + 2).fill(7);
    withDistractor(striped, name).read(clip, frame, out, 1);
    return out;
  };

  it("the same frame always looks the same, other frames otherwise, and nothing is written beside it", () => {
    expect(look(1, 2)).toEqual(look(1, 2));
    const looks = new Set(Array.from({ length: 12 }, (_, frame) => look(1, frame).join(" ")));
    expect(looks.size).toBeGreaterThan(2);
    expect([look(0, 0)[0], look(0, 0)[769]]).toEqual([7, 7]);
  });
});

describe("frameDifferences", () => {
  it("averages the change over cells, in shares of the range", () => {
    const differences = frameDifferences(grey, pairs);
    expect(differences.length).toBe(3 * 192);
    expect([...differences.subarray(0, 2)]).toBeAllClose([4 / 255, 4 / 255]);
  });
});
