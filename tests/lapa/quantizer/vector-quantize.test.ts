import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import {
  type Codebook,
  initCodebook,
  lookUpCodes,
  nearestCode,
  noiseSubstitution,
  updateCodebook,
  updateNoiseCodebook,
} from "#lapa/quantizer/vector-quantize.ts";

const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
const vectors = () => tf.tensor2d([0, 0, 1, 0, 0, 2], [3, 2]);

describe("nearestCode", () => {
  it("takes the entry at the smallest distance, the first of equals", () => {
    const latents = () => tf.tensor2d([0.4, 0, 0.6, 0, 0.1, 1.5, 0.5, 0], [4, 2]);
    expect(numbers(() => nearestCode(latents(), vectors()))).toEqual([0, 1, 2, 0]);
  });
});

describe("lookUpCodes", () => {
  it("gives the rows that are named", () => {
    expect(numbers(() => lookUpCodes(tf.tensor1d([2, 0, 1], "int32"), vectors()))).toEqual([0, 2, 0, 0, 1, 0]);
  });
});

describe("noiseSubstitution", () => {
  it("moves a latent as far as its code is away, in the direction of the noise", () => {
    const moved = () =>
      noiseSubstitution(tf.tensor2d([1, 1], [1, 2]), tf.tensor2d([4, 5], [1, 2]), tf.tensor2d([0, -7], [1, 2]));
    expect(numbers(moved)).toBeAllClose([1, -4]);
  });

  it("keeps the distance to the code whatever the noise: |z' - d| = |d - c|", () => {
    const rng = createRng("identity");
    const draw = () =>
      tf.tensor2d(
        Float32Array.from({ length: 24 }, () => rng.normal()),
        [3, 8],
      );
    const [from, to] = withBackend("cpu", () =>
      tf.tidy(() => {
        const [latents, codes, noise] = [draw(), draw(), draw()];
        const length = (x: tf.Tensor) => Array.from(tf.norm(x, 2, 1).dataSync());
        const moved = noiseSubstitution(latents, codes, noise);
        return [length(tf.sub(moved, latents)), length(tf.sub(latents, codes))];
      }),
    );
    expect(from).toBeAllClose(to, { relative: 1e-5 });
  });

  it("lets codes learn through the distance", () => {
    // z = (1, 1), c = (4, 5), v = (0, -7): z' = (1, 1 - |z - c|), so d z'_2 / d c = -(c - z) / 5
    const gradient = () =>
      tf.grad((code) => {
        const moved = noiseSubstitution(tf.tensor2d([1, 1], [1, 2]), code as tf.Tensor2D, tf.tensor2d([0, -7], [1, 2]));
        return tf.sum(tf.slice(moved, [0, 1], [1, 1]));
      })(tf.tensor2d([4, 5], [1, 2]));
    expect(numbers(gradient)).toBeAllClose([-0.6, -0.8]);
  });
});

describe("updateNoiseCodebook", () => {
  it("carries a dead code onto the live latent drawn for it, and keeps the others", () => {
    const next = (key: "counts" | "shift") => () =>
      updateNoiseCodebook(
        { counts: tf.tensor1d([2, 0.5, 0.5]), shift: tf.tensor2d([1, 1, 0, 0, 0, 0], [3, 2]) },
        vectors(),
        tf.tensor2d([2, 2, 4, 4, 9, 9], [3, 2]),
        tf.tensor1d([0, 0, 0], "int32"),
        tf.tensor1d([1, 2, 1], "int32"),
        { decay: 0.5, reseedBelow: 0.5 },
      )[key];
    // (9, 9) - (1, 0) and (4, 4) - (0, 2)
    expect(numbers(next("shift"))).toBeAllClose([1, 1, 8, 9, 4, 2]);
    expect(numbers(next("counts"))).toBeAllClose([2.5, 1, 1]);
  });
});

describe("updateCodebook", () => {
  const options = { decay: 0.5, reseedBelow: 0.5 };
  const update = (codes: number[], reseed: number[]): Record<keyof Codebook<unknown>, number[]> => {
    const next = (key: keyof Codebook<unknown>) => () =>
      updateCodebook(
        { vectors: vectors(), counts: tf.tensor1d([1, 1, 1]), sums: vectors() },
        tf.tensor2d([2, 2, 4, 4, 9, 9], [3, 2]),
        tf.tensor1d(codes, "int32"),
        tf.tensor1d(reseed, "int32"),
        options,
      )[key];
    return { vectors: numbers(next("vectors")), counts: numbers(next("counts")), sums: numbers(next("sums")) };
  };

  it("averages counts and sums by hand-computed values", () => {
    const { vectors: next, counts } = update([0, 1, 2], [0, 0, 0]);
    expect(counts).toBeAllClose([1, 1, 1]);
    // (old sum + new latent) / 2, over a count of 1
    expect(next).toBeAllClose([1, 1, 2.5, 2, 4.5, 5.5]);
  });

  it("gives a code that nobody uses the live latent that was drawn for it, with an average count", () => {
    // counts become 2, 0.5, 0.5 of 3: the last two fall below half of the mean
    const once = update([0, 0, 0], [1, 2, 1]);
    expect(once.counts).toBeAllClose([2, 0.5, 0.5]);
    const dead = updateDead();
    expect(dead.vectors.slice(2)).toBeAllClose([9, 9, 4, 4]);
    expect(dead.counts).toBeAllClose([2.5, 1, 1]);
  });

  function updateDead(): { vectors: number[]; counts: number[] } {
    const next = (key: "vectors" | "counts") => () =>
      updateCodebook(
        { vectors: vectors(), counts: tf.tensor1d([2, 0.5, 0.5]), sums: vectors() },
        tf.tensor2d([2, 2, 4, 4, 9, 9], [3, 2]),
        tf.tensor1d([0, 0, 0], "int32"),
        tf.tensor1d([1, 2, 1], "int32"),
        options,
      )[key];
    return { vectors: numbers(next("vectors")), counts: numbers(next("counts")) };
  }

  it("keeps every code in use when the encoder puts everything in one place", () => {
    const rng = createRng("collapse");
    const start = initCodebook(rng, 4, 2);
    const used = withBackend("cpu", () =>
      tf.tidy(() => {
        let book: Codebook<tf.Tensor> = {
          vectors: tf.tensor(start.vectors.data, [4, 2]),
          counts: tf.tensor(start.counts.data, [4]),
          sums: tf.tensor(start.sums.data, [4, 2]),
        };
        let codes: tf.Tensor1D = tf.tensor1d([0], "int32");
        for (let step = 0; step < 200; step++) {
          const latents = tf.tensor2d(
            Float32Array.from({ length: 64 }, () => 5 + 0.01 * rng.normal()),
            [32, 2],
          );
          codes = nearestCode(latents, book.vectors as tf.Tensor2D);
          const reseed = tf.tensor1d(
            Int32Array.from({ length: 4 }, () => rng.integer(32)),
            "int32",
          );
          book = updateCodebook(book, latents, codes, reseed, { decay: 0.9, reseedBelow: 0.1 });
        }
        return new Set(codes.dataSync()).size;
      }),
    );
    expect(used).toBe(4);
  });
});
