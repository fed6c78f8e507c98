import { describe, expect, it } from "@jest/globals";
import type { ActionKind } from "#core/contracts/action.ts";
import type { DatasetInfo } from "#core/contracts/episode.ts";
import { UserError } from "#core/errors.ts";
import { actionOverPair, splitPairs } from "#lapa/quantizer/pair-source.ts";
import type { RecordedClip, VideoData } from "#lapa/quantizer/video-data.ts";

const dataset = (kind?: ActionKind) =>
  ({ fps: 10, metadata: kind ? { actionSpace: { kind } } : {} }) as unknown as DatasetInfo;
const clipOf = (kind: ActionKind | undefined, states?: Float32Array): RecordedClip => ({
  dataset: dataset(kind),
  episode: 0,
  actions: Float32Array.of(1, 10, 2, 20, 3, 30, 4, 40),
  states,
});

describe("actionOverPair", () => {
  it.each([
    ["planar-delta", [3, 30]],
    ["end-effector-delta", [3, 30]],
    ["joint-velocity", [0.3, 3]],
    ["joint-position", [2, 20]],
  ] as const)("of %s is what happened between the frames", (kind, want) => {
    expect(actionOverPair(clipOf(kind), 4, 0, 2)).toBeAllClose(want);
  });

  it("of positions follows the measured state where there is one", () => {
    const states = Float32Array.of(0, 5, 7, 9);
    expect(actionOverPair(clipOf("joint-position", states), 4, 1, 3)).toBeAllClose([4]);
    expect(actionOverPair(clipOf(undefined, states), 4, 0, 3)).toBeAllClose([9]);
  });
});

/** Clips of 4 x 4 pixels in which frame f has the grey level `levels[clip][f]`. */
function dataOf(
  levels: readonly (readonly number[])[],
  recorded: readonly (RecordedClip | undefined)[],
  heldOut: boolean[],
): VideoData {
  const clips = levels.map((frames, index) => ({
    name: `${index}`,
    path: `${index}.mp4`,
    frames: frames.length,
    timestampsS: Float64Array.from(frames, (_, frame) => frame / 10),
    hash: `${index}`,
  }));
  const read = (clip: number, frame: number, out: Uint8Array, offset: number) => {
    out.fill(levels[clip]![frame]!, offset, offset + 48);
  };
  const frames = { size: 4, clips, problems: [], read, close: () => undefined };
  return { frames, recorded, heldOut, hash: "", problems: [], close: () => undefined };
}

describe("splitPairs", () => {
  const moving = [0, 50, 100, 150];
  const still = [9, 9, 9, 9];
  const options = { offsetS: 0.1, minMotion: 1 };

  it("keeps clips apart, leaves still pairs out and standardises actions", () => {
    const data = dataOf(
      [moving, still, moving, moving],
      [undefined, undefined, undefined, clipOf("planar-delta")],
      [false, false, true, false],
    );
    const { train, heldOut, actionSize } = splitPairs(data, options);
    expect([...train.pairs.clip]).toEqual([0, 0, 0, 3, 3, 3]);
    expect([...heldOut.clip]).toEqual([2, 2, 2]);
    expect(actionSize).toBe(2);
    expect([...train.labelled!.pairs.first]).toEqual([0, 1, 2]);
    // 1, 2, 3 with mean 2 and variance 2/3
    const z = Math.sqrt(1.5);
    expect(train.labelled!.actions).toBeAllClose([-z, -z, 0, 0, z, z]);
  });

  it("refuses videos in which nothing moves", () => {
    expect(() => splitPairs(dataOf([still], [undefined], [false]), options)).toThrow(UserError);
  });

  it("refuses sets whose actions differ in size", () => {
    const one = { ...clipOf("planar-delta"), actions: Float32Array.of(1, 2, 3, 4) };
    const data = dataOf([moving, moving], [clipOf("planar-delta"), one], [false, false]);
    expect(() => splitPairs(data, options)).toThrow("got 2 and 1");
  });
});
