import { describe, expect, it } from "@jest/globals";
import { tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { codebookRows, codesOfRows, foreignRows, rowsOfCodes } from "#lapa/quantizer/code-space.ts";
import { quantizerModelConfig } from "#lapa/quantizer/config.ts";
import { nearestCode } from "#lapa/quantizer/vector-quantize.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
const own = quantizerModelConfig.parse({ codebooks: "per-position", codebookSize: 2, codesPerStep: 2, codeWidth: 2 });
const shared = { ...own, codebooks: "shared" as const };

describe("one codebook per position", () => {
  it("has rows of its own for each position, and codes below K", () => {
    expect([codebookRows(own), codebookRows(shared)]).toEqual([4, 2]);
    const codes = () => tf.tensor1d([0, 0, 1, 1], "int32");
    expect(numbers(() => rowsOfCodes(own, codes()))).toEqual([0, 2, 1, 3]);
    expect(numbers(() => codesOfRows(own, rowsOfCodes(own, codes())))).toEqual([0, 0, 1, 1]);
    expect(numbers(() => rowsOfCodes(shared, codes()))).toEqual([0, 0, 1, 1]);
  });

  it("never takes another position's entry, however near", () => {
    // rows: position 0 owns (0, 0) and (1, 0), position 1 owns (9, 9) and (8, 8)
    const vectors = () => tf.tensor2d([0, 0, 1, 0, 9, 9, 8, 8], [4, 2]);
    const latents = () => tf.tensor2d([9, 9, 0, 0, 0, 0, 9, 9], [4, 2]);
    expect(numbers(() => nearestCode(latents(), vectors(), foreignRows(own, 4)))).toEqual([1, 3, 0, 2]);
    expect(foreignRows(shared, 4)).toBeUndefined();
  });
});
