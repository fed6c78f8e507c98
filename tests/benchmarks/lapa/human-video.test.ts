import { describe, expect, it } from "@jest/globals";
import { foldCount, rolesOf } from "#benchmarks/lapa/human-video.ts";
import { carryPicture, changeWindow, pairVideos } from "#benchmarks/lapa/human-video-frames.ts";
import { type ClipMotion, cameraBetween, cameraShift, carry, wristMove } from "#benchmarks/lapa/human-video-motion.ts";
import {
  type ClipSums,
  differenceFeatures,
  explained,
  overClips,
  sumByClip,
} from "#benchmarks/lapa/human-video-probe.ts";
import { createRng } from "#core/rng.ts";
import type { FrameCache } from "#datasets/frame-cache.ts";
import { framePairs } from "#datasets/frame-pairs.ts";
import type { VideoData } from "#lapa/quantizer/index.ts";

const still = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const shift = (x: number, y: number) => [1, 0, x, 0, 1, y, 0, 0, 1];

type Place = [number, number] | null;
const motionOf = (camera: number[][], right: Place[], left: Place[] = right.map(() => null)): ClipMotion => ({
  ...{ width: 96, height: 96, camera, wrists: [right, left] },
});

describe("what was measured beside a video", () => {
  it("chains the camera's steps from a frame back to an earlier one", () => {
    const motion = motionOf([still, shift(2, 0), shift(3, -1)], [null, null, null]);
    expect(carry(cameraBetween(motion, 0, 2), [10, 10])).toEqual([15, 9]);
    expect(carry(cameraBetween(motion, 1, 2), [10, 10])).toEqual([13, 9]);
  });

  it("takes the camera's motion out of the wrist's, in picture heights", () => {
    const seen: Place[] = [
      [40, 40],
      [50, 40],
    ];
    const whole = { first: 0, second: 1 };
    expect(wristMove(motionOf([still, still], seen), whole, [48, 48])).toEqual([10 / 96, 0]);
    expect(wristMove(motionOf([still, shift(-10, 0)], seen), whole, [48, 48])).toEqual([0, 0]);
  });

  it("follows the wrist nearer to the middle, and none that is hidden in one of the frames", () => {
    const right: Place[] = [
      [10, 10],
      [12, 10],
    ];
    const left: Place[] = [
      [80, 80],
      [80, 84],
    ];
    const motion = motionOf([still, still], right, left);
    expect(wristMove(motion, { first: 0, second: 1 }, [20, 20])).toEqual([2 / 96, 0]);
    expect(wristMove(motion, { first: 0, second: 1 }, [90, 70])).toEqual([0, 4 / 96]);
    const hidden = motionOf([still, still], [[10, 10], null]);
    expect(wristMove(hidden, { first: 0, second: 1 }, [10, 10])).toBeUndefined();
  });

  it("tells a worn camera from one on a stand", () => {
    const nobody = Array.from({ length: 9 }, () => null);
    expect(
      cameraShift(
        motionOf(
          nobody.map(() => still),
          nobody,
        ),
        4,
      ),
    ).toBe(0);
    expect(
      cameraShift(
        motionOf(
          nobody.map(() => shift(3, 0)),
          nobody,
        ),
        4,
      ),
    ).toBeCloseTo(12 / 96, 6);
  });
});

/** A textured room, u8[size, size, 3], seen by a camera that stands `right` of it, with a bright square in it. */
function room(size: number, right: number, square: readonly [number, number]): Uint8Array {
  const picture = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const inSquare = Math.abs(x - square[0]) < 5 && Math.abs(y - square[1]) < 5;
      const wall = 90 + 40 * Math.sin((x + right) / 5) + 30 * Math.cos(y / 4);
      picture.fill(inSquare ? 250 : wall, (y * size + x) * 3, (y * size + x) * 3 + 3);
    }
  }
  return picture;
}

const size = 96;

describe("pairs as they would look from one place", () => {
  it("undoes the camera's motion: what is left is what moved", () => {
    const first = room(size, 0, [40, 40]);
    const filmed = room(size, 6, [50 - 6, 40]);
    const carried = filmed.slice();
    const motion = motionOf([still, shift(6, 0)], [null, null]);
    carryPicture(cameraBetween(motion, 0, 1), motion, { size, fit: "stretch" }, first, carried);
    const wanted = room(size, 0, [50, 40]);
    const distance = (picture: Uint8Array) =>
      picture.reduce((sum, value, at) => sum + Math.abs(value - wanted[at]!), 0) / picture.length;
    expect(distance(filmed)).toBeGreaterThan(15);
    expect(distance(carried)).toBeLessThan(1.5);
  });

  it("finds the window that holds the change, and the middle where nothing changes", () => {
    const [left, top] = changeWindow(room(size, 0, [70, 24]), room(size, 0, [76, 24]), size, 64);
    expect(Math.abs(left + 32 - 73)).toBeLessThanOrEqual(9); // the window ends at the border: 32 is its last place
    expect(left).toBe(32);
    expect(top).toBe(0);
    const same = room(size, 0, [70, 24]);
    expect(changeWindow(same, same, size, 64)).toEqual([16, 16]);
  });

  it("gives every pair frames of its own, at times that pair them and no others", () => {
    const squares = [20, 26, 32, 38, 44];
    const frames: FrameCache = {
      ...{ size, problems: [], close: () => {} },
      clips: [
        { name: "a", path: "a.mp4", frames: 5, timestampsS: Float64Array.from([0, 0.1, 0.2, 0.3, 0.4]), hash: "a" },
      ],
      read: (_, frame, out, offset) => out.set(room(size, 0, [squares[frame]!, 48]), offset),
    };
    const data = { frames, recorded: [undefined], heldOut: [false], hash: "x", problems: [], close: () => {} };
    const nobody = [null, null, null, null, null];
    const motion = motionOf(
      nobody.map(() => still),
      nobody,
    );
    const options = { offsetS: 0.2, fit: "stretch", compensated: true, size: 64, every: 1 } as const;
    const paired = pairVideos(data as VideoData, [motion], options);
    const pairs = framePairs(paired.data.frames.clips, { offsetS: 0.2 });
    expect([...pairs.first]).toEqual([0, 2, 4]);
    expect([...pairs.second]).toEqual([1, 3, 5]);
    expect(paired.real(0, 2)).toEqual({ first: 1, second: 3 });
    const [one, other] = [new Uint8Array(64 * 64 * 3), new Uint8Array(64 * 64 * 3)];
    paired.data.frames.read(0, 2, one, 0);
    paired.data.frames.read(0, 3, other, 0);
    // Both frames are cut at one place: the wall stays, the square moves by 12 pixels.
    const columns = (picture: Uint8Array) =>
      [...picture.entries()].filter(([, value]) => value === 250).map(([at]) => Math.floor(at / 3) % 64);
    expect(Math.min(...columns(other)) - Math.min(...columns(one))).toBe(12);
    expect(paired.middle(0, 2)[0]).toBeCloseTo((26 + 38) / 2, -1);
  });
});

describe("what a probe explains", () => {
  const names = ["a", "b"];
  const pairs = { length: 4, clip: Int32Array.of(0, 0, 1, 1), first: new Int32Array(4), second: new Int32Array(4) };
  const values = Float32Array.of(1, 2, -1, -2, 3, 1, -3, -1);

  it("is everything for the truth, nothing for the mean", () => {
    expect(explained(sumByClip(values, { pairs, values }, names))).toBeCloseTo(1, 6);
    expect(explained(sumByClip(new Float64Array(8), { pairs, values }, names))).toBeCloseTo(0, 6);
  });

  it("has an interval over clips that holds the value and shrinks with clips", () => {
    const clip = (error: number): ClipSums => ({
      clip: "c",
      pairs: 2,
      sum: [0, 0],
      squares: [2, 2],
      errors: [error, error],
    });
    const many = (count: number) => Array.from({ length: count }, (_, at) => clip(at % 2));
    const interval = (count: number) => {
      const clips = many(count);
      return overClips(count, (chosen) => explained(chosen.map((at) => clips[at]!)), createRng("test"));
    };
    const [few, lots] = [interval(6), interval(60)];
    expect(few.value).toBeCloseTo(0.75, 6);
    expect(few.low).toBeLessThan(0.75);
    expect(few.high).toBeGreaterThan(0.75);
    expect(lots.high - lots.low).toBeLessThan((few.high - few.low) / 2);
  });

  it("sees light come and go in cells", () => {
    const frames = {
      size: 32,
      clips: [],
      read: (_: number, frame: number, out: Uint8Array) => void out.fill(0).fill(frame * 64, 0, 6),
    };
    const pair = { length: 1, clip: Int32Array.of(0), first: Int32Array.of(0), second: Int32Array.of(1) };
    const features = differenceFeatures(frames as never, pair);
    expect(features[0]).toBeCloseTo(2 / 4, 6); // two of a cell's four pixels are 64 lighter
    expect(features[256]).toBeCloseTo(2 / 4, 6);
    expect(features.filter((value) => value !== 0)).toHaveLength(2);
  });
});

describe("which clips are for what", () => {
  const clips = Array.from({ length: 30 }, (_, clip) => ({ hash: clip < 2 ? `same@${clip}` : `video${clip}` }));
  const roles = rolesOf({ frames: { clips } } as never);

  it("keeps clips of one video together, a fifth for choosing, the rest evenly in folds", () => {
    expect(roles[0]).toBe(roles[1]);
    expect(new Set(roles)).toEqual(new Set(["choose", ...Array.from({ length: foldCount }, (_, fold) => fold)]));
    expect(roles.filter((role) => role === "choose").length).toBeCloseTo(6, -0.5);
  });

  it("is decided by content alone", () => {
    const turned = rolesOf({ frames: { clips: [...clips].reverse() } } as never);
    expect(turned.reverse()).toEqual(roles);
  });
});
