import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { type HostArray, mapTree, type Tree, tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { type BackboneParameters, backbone, initBackbone } from "#lapa/latent-vla/backbone.ts";
import { backboneConfig } from "#lapa/latent-vla/config.ts";
import { initLatentVla, type LatentVlaParameters, latentLogits, latentLoss } from "#lapa/latent-vla/model.ts";
import { readPictures, shiftPicture } from "#lapa/latent-vla/samples.ts";

const small = {
  imageSize: 16,
  patchSize: 8,
  keypoints: 3,
  stemChannels: 4,
  width: 8,
  depth: 2,
  heads: 2,
  textLength: 3,
  vocabularySize: 5,
};
const configOf = (given: object = {}) => backboneConfig.parse({ ...small, ...given });
const asTensors = <P>(tree: unknown) =>
  mapTree(tree as Tree<HostArray>, ({ data, shape }) => tf.tensor(data, [...shape])) as unknown as P;
const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
const rng = createRng("backbone");
const images = Float32Array.from({ length: 16 * 16 * 3 }, () => rng.uniform(-1, 1));
const queries = Float32Array.from({ length: 2 * 8 }, () => rng.normal());

describe.each(["keypoints", "patches"] as const)("the backbone with a stem of %s", (stem) => {
  const config = configOf({ stem });
  const parameters = initBackbone(createRng(1), config);
  const run = (words: number[], asked: Float32Array, picture = images) =>
    numbers(() =>
      backbone(
        asTensors<BackboneParameters<tf.Tensor>>(parameters),
        config,
        tf.tensor(picture, [1, 16, 16, 3]) as tf.Tensor4D,
        tf.tensor2d(words, [1, 3], "int32"),
        tf.tensor(asked, [1, 2, 8]) as tf.Tensor3D,
      ),
    );

  it("hears the words and sees the picture", () => {
    const before = run([1, 2, 3], queries);
    expect(before).toHaveLength(16);
    expect(run([1, 4, 3], queries)).not.toEqual(before);
    expect(
      run(
        [1, 2, 3],
        queries,
        images.map((value) => -value),
      ),
    ).not.toEqual(before);
  });

  it("is causal: a later query changes nothing before it", () => {
    const changed = queries.slice();
    changed.fill(3, 8);
    const [before, after] = [run([1, 2, 3], queries), run([1, 2, 3], changed)];
    expect(after.slice(0, 8)).toBeAllClose(before.slice(0, 8));
    expect(after.slice(8)).not.toEqual(before.slice(8));
  });
});

describe("latentLoss", () => {
  const config = configOf({ codebookSize: 4, codesPerStep: 2, latentDecoding: "autoregressive" });
  const parameters = initLatentVla(createRng(2), config);
  const args = () =>
    [
      asTensors<LatentVlaParameters<tf.Tensor>>(parameters),
      config,
      tf.tensor(images, [1, 16, 16, 3]) as tf.Tensor4D,
      tf.tensor2d([1, 2, 3], [1, 3], "int32"),
    ] as const;

  it("is the mean over the positions of minus the logarithm of the right code's probability", () => {
    const codes = [1, 3];
    const logits = numbers(() => latentLogits(...args(), tf.tensor2d(codes, [1, 2], "int32")));
    const logSum = (row: number[]) => Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
    const rows = [logits.slice(0, 4), logits.slice(4)];
    const want = rows.reduce((sum, row, index) => sum + (logSum(row) - row[codes[index]!]!) / 2, 0);
    expect(numbers(() => latentLoss(...args(), tf.tensor2d(codes, [1, 2], "int32")).loss)).toBeAllClose([want]);
  });

  it("sees earlier codes but not the one it is asked for when it decodes one after another", () => {
    const at = (codes: number[]) => numbers(() => latentLogits(...args(), tf.tensor2d(codes, [1, 2], "int32")));
    expect(at([1, 3]).slice(0, 4)).toBeAllClose(at([2, 0]).slice(0, 4));
    expect(at([1, 3]).slice(4)).toBeAllClose(at([1, 0]).slice(4));
    expect(at([1, 3]).slice(4)).not.toEqual(at([2, 3]).slice(4));
  });
});

describe("shiftPicture", () => {
  it("moves by whole pixels and repeats the border", () => {
    const pixels = Uint8Array.of(...[1, 2, 3, 4].flatMap((value) => [value, value, value]));
    shiftPicture(pixels, 0, 2, 1, 0, new Uint8Array(12));
    expect([pixels[0], pixels[3], pixels[6], pixels[9]]).toEqual([1, 1, 3, 3]);
    shiftPicture(pixels, 0, 2, 0, -1, new Uint8Array(12));
    expect([pixels[0], pixels[3], pixels[6], pixels[9]]).toEqual([3, 3, 3, 3]);
  });
});

describe("readPictures", () => {
  it("is a function of its random stream alone", () => {
    const clip = { name: "", path: "", frames: 2, timestampsS: Float64Array.of(0, 1), hash: "" };
    const frames = {
      size: 4,
      clips: [clip],
      read: (_: number, frame: number, out: Uint8Array, offset: number) => {
        for (let at = 0; at < 48; at++) out[offset + at] = at + 100 * frame;
      },
    };
    const samples = { clip: Int32Array.of(0, 0), frame: Int32Array.of(0, 1) };
    const read = (seed: number) =>
      readPictures(frames, [Int32Array.of(7, 8)], samples, [1, 0], { shiftPixels: 2, augment: 0.5 }, createRng(seed));
    expect(read(1)).toEqual(read(1));
    expect(read(1).colour).not.toEqual(read(2).colour);
    expect([...read(1).words]).toEqual([7, 8, 7, 8]);
  });
});
