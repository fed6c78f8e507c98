import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { applyColour, colourSize, drawColour } from "#lapa/quantizer/colour.ts";
import { mirrorPicture } from "#lapa/quantizer/mirror.ts";
import { patchify, unpatchify } from "#lapa/quantizer/patches.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));

describe("colour maps", () => {
  it("leave pictures alone without strength", () => {
    const colour = new Float32Array(colourSize);
    drawColour(createRng(1), { strength: 0 }, colour, 0);
    expect(colour).toBeAllClose([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  });

  it("turn light into dark in half of the samples when polarity is on", () => {
    const rng = createRng(2);
    const signs = Array.from({ length: 400 }, () => {
      const colour = new Float32Array(colourSize);
      drawColour(rng, { strength: 0, polarity: true }, colour, 0);
      return colour[0]!;
    });
    expect(new Set(signs)).toEqual(new Set([1, -1]));
    expect(Math.abs(signs.reduce((sum, sign) => sum + sign, 0))).toBeLessThan(60);
  });

  it("keep grey grey when only the hue turns", () => {
    const rng = createRng(3);
    const colour = new Float32Array(colourSize);
    drawColour(rng, { strength: 0.5 }, colour, 0);
    const turned = colour.slice(0, 9);
    // Each row is its gain times a row that sums to 1.
    const gains = [0, 1, 2].map((row) => turned[3 * row]! + turned[3 * row + 1]! + turned[3 * row + 2]!);
    for (const gain of gains) expect(Math.abs(gain - 1)).toBeLessThanOrEqual(0.15 + 1e-6);
  });

  it("apply matrix and offset to each sample by itself and clip", () => {
    const images = () => tf.tensor([0.1, 0.2, 0.3, 0.5, 0.5, 0.5], [2, 1, 1, 3]) as tf.Tensor4D;
    const colour = () =>
      tf.tensor2d([0, 1, 0, 0, 0, 1, 1, 0, 0, 0.1, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, -4, 0, 0, 0], [2, colourSize]);
    expect(numbers(() => applyColour(images(), colour()))).toBeAllClose([0.3, 0.3, 0.1, 1, 1, -1]);
  });
});

describe("mirrorPicture", () => {
  const picture = () => Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const mirrored = (how: { horizontal: boolean; vertical: boolean }) => {
    const pixels = picture();
    mirrorPicture(pixels, 1, 2, how);
    return [...pixels];
  };

  it("swaps columns, rows or both, and nothing before its offset", () => {
    expect(mirrored({ horizontal: true, vertical: false })).toEqual([9, 4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
    expect(mirrored({ horizontal: false, vertical: true })).toEqual([9, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]);
    expect(mirrored({ horizontal: true, vertical: true })).toEqual([9, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3]);
  });
});

describe("patches", () => {
  it("are cut row by row and put back", () => {
    const image = () => tf.reshape(tf.range(0, 48), [1, 4, 4, 3]) as tf.Tensor4D;
    expect(numbers(() => tf.slice(patchify(image(), 2), [0, 1, 0], [1, 1, -1]))).toEqual([
      6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23,
    ]);
    expect(numbers(() => unpatchify(patchify(image(), 2), 2, 4))).toEqual(numbers(image));
  });
});
