import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { quantizerBatch, quantizerInputs } from "#lapa/quantizer/batches.ts";
import { quantizerTrainConfig } from "#lapa/quantizer/config.ts";
import { cropPicture, drawCutOut } from "#lapa/quantizer/crop.ts";
import { splitTrainingPairs } from "#lapa/quantizer/pair-source.ts";
import { completeQuantizerConfig } from "#lapa/quantizer/train.ts";
import { movingSquares, smallQuantizer } from "./moving-squares.ts";

const squares = movingSquares();
const source = { frames: squares.frames, pairs: squares.train };
const configOf = (given: object = {}, model: object = {}) =>
  quantizerTrainConfig.parse({ batch: 16, offsetS: 0.2, ...given, model: { ...smallQuantizer, ...model } });
const pixels = 16 * 16 * 3;
const frameOf = (frames: Uint8Array, row: number, time: number) =>
  frames.subarray((2 * row + time) * pixels, (2 * row + time + 1) * pixels);

describe("quantizerBatch", () => {
  it("is the same for the same seed and step, and has the shapes that it declares", () => {
    const config = completeQuantizerConfig(configOf({ crop: 0.2, backwards: true, offsetsS: [0.1] }), 0);
    const batch = quantizerBatch(source, config, 3);
    expect(quantizerBatch(source, config, 3)).toEqual(batch);
    for (const [name, { shape }] of Object.entries(quantizerInputs(config))) {
      const size = shape.reduce((product, count) => product * count, 1);
      expect([name, (batch as Record<string, ArrayLike<number>>)[name]!.length]).toEqual([name, size]);
    }
  });

  it("plays half of the pairs backwards when it is told to, and all of them forwards when not", () => {
    const brighter = {
      ...squares.frames,
      read: (_: number, frame: number, out: Uint8Array, offset: number) => {
        out.fill(20 * frame, offset, offset + pixels);
      },
    };
    const isForwards = (backwards: boolean) => {
      const config = configOf({ augment: 0, polarity: false, backwards, batch: 200 });
      const { frames } = quantizerBatch({ ...source, frames: brighter }, config, 0);
      return Array.from({ length: 200 }, (_, row) => frameOf(frames, row, 1)[0]! - frameOf(frames, row, 0)[0]!);
    };
    expect(new Set(isForwards(false))).toEqual(new Set([40]));
    const mixed = isForwards(true);
    expect(new Set(mixed)).toEqual(new Set([40, -40]));
    expect(Math.abs(mixed.filter((change) => change > 0).length - 100)).toBeLessThan(30);
  });

  it("tells how much longer or shorter than offsetS a pair lasts", () => {
    const config = completeQuantizerConfig(configOf({ offsetsS: [0.4] }), 0);
    const times = {
      ...source,
      pairs: { ...source.pairs, second: source.pairs.first.map((frame, at) => frame + (at % 2 ? 2 : 4)) },
    };
    const short = { clips: 4, frames: 16 };
    const { logTime } = quantizerBatch(
      { ...times, frames: movingSquares(short).frames, pairs: { ...times.pairs, length: 30 } },
      config,
      0,
    );
    expect(new Set([...logTime!].map((value) => Math.abs(value).toFixed(4)))).toEqual(
      new Set(["0.0000", Math.log(2).toFixed(4)]),
    );
  });

  it("re-seeds each position from its own latents", () => {
    const config = configOf({}, { codebooks: "per-position", codesPerStep: 2, codebookSize: 4 });
    const { reseed } = quantizerBatch(source, config, 0);
    expect(reseed.length).toBe(8);
    expect([...reseed].map((row) => row % 2)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });
});

describe("splitTrainingPairs", () => {
  it("joins the pairs of all offsets, sorted, each once", () => {
    const { frames } = movingSquares({ clips: 2, frames: 5 });
    const data = { frames, recorded: [undefined, undefined], heldOut: [false, true] } as never;
    const { train } = splitTrainingPairs(data, { offsetS: 0.2, offsetsS: [0.1, 0.2], minMotion: 0 });
    const rows = Array.from({ length: train.pairs.length }, (_, pair) => [
      ...[train.pairs.clip[pair], train.pairs.first[pair], train.pairs.second[pair]],
    ]);
    expect(rows).toEqual([
      ...[
        [0, 0, 1],
        [0, 0, 2],
        [0, 1, 2],
        [0, 1, 3],
        [0, 2, 3],
        [0, 2, 4],
        [0, 3, 4],
      ],
    ]);
  });
});

describe("cropPicture", () => {
  it("leaves the whole picture alone", () => {
    const rng = createRng("crop");
    const picture = Uint8Array.from({ length: pixels + 1 }, () => rng.integer(256));
    const same = picture.slice();
    cropPicture(same, 1, 16, { left: 0, top: 0, side: 16 });
    expect(same).toEqual(picture);
  });

  it("stretches half of a picture to the whole between its pixels", () => {
    // Columns 0, 100, 200, 40: the middle two, at 0.75, 1.25, 1.75, 2.25, so a quarter of the way and so on.
    const picture = Uint8Array.from({ length: 48 }, (_, at) => [0, 100, 200, 40][Math.floor(at / 3) % 4]!);
    cropPicture(picture, 0, 4, { left: 1, top: 1, side: 2 });
    expect([...picture.subarray(0, 12)].filter((_, at) => at % 3 === 0)).toEqual([75, 125, 175, 160]);
  });

  it("draws cut-outs within the picture", () => {
    const rng = createRng("cut-outs");
    for (let draw = 0; draw < 100; draw++) {
      const { left, top, side } = drawCutOut(rng, 16, 0.25);
      expect(side).toBeGreaterThanOrEqual(12);
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(left, top) + side).toBeLessThanOrEqual(16);
    }
  });
});
