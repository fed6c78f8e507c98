import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { flattenTree, type HostArray, sizeOf, type Tree } from "#engine/index.ts";
import { backboneConfig, latentVlaTrainConfig } from "#lapa/latent-vla/config.ts";
import { initLatentVla } from "#lapa/latent-vla/model.ts";
import { modelSize } from "#lapa/latent-vla/model-size.ts";
import { latentVlaPresets } from "#lapa/latent-vla/presets.ts";

const ofPreset = (name: keyof typeof latentVlaPresets) => modelSize(latentVlaTrainConfig.parse(latentVlaPresets[name]));

describe("modelSize", () => {
  it.each([
    [{}],
    [{ stem: "patches", hidden: 24 }],
    [{ block: "llama", hidden: 24, stem: "patches" }],
    [{ stem: "encoder", imageEncoder: { file: "x", tokens: 5, codes: 11 }, block: "llama" }],
    [
      {
        stem: "encoder",
        imageEncoder: { file: "x", tokens: 5, width: 7 },
        textEncoder: { file: "x", tokens: 2, width: 9 },
      },
    ],
  ])("counts what is really there: %j", (given) => {
    const model = backboneConfig.parse({
      ...{
        imageSize: 16,
        width: 8,
        depth: 2,
        heads: 2,
        keypoints: 3,
        stemChannels: 5,
        vocabularySize: 6,
        textLength: 4,
      },
      ...given,
    });
    const tree = initLatentVla(createRng(0), model) as unknown as Tree<HostArray>;
    const leaves = flattenTree(tree);
    expect(modelSize({ model, batch: 1 }).parameters).toBe(
      leaves.reduce((sum, [, leaf]) => sum + sizeOf(leaf.shape), 0),
    );
  });

  it("gives the paper's preset the shape of LWM-7B: its heads for text and pictures aside, parameter by parameter", () => {
    const { parts, parameters, tokens, bytes } = ofPreset("paper");
    expect(parts.words).toBe(32_000 * 4096);
    expect(parts.image).toBe(8448 * 4096);
    expect(parts.blocks).toBe(32 * (4 * 4096 ** 2 + 3 * 4096 * 11_008 + 2 * 4096));
    expect(parts.norm).toBe(4096);
    // Embeddings and head of the 8 codes, as published, and here four places to ask from and a bias.
    expect(parts.latent).toBe(2 * 8 * 4096 + 4 * 4096 + 8);
    const lmHead = 32_000 * 4096;
    const visionHead = 8448 * 4096;
    expect(parameters + lmHead + visionHead - 4 * 4096 - 8).toBe(6_807_687_168);
    // Llama-2 7B itself: 6,738,415,616.
    expect(parts.words + parts.blocks + parts.norm + lmHead).toBe(6_738_415_616);
    expect(tokens).toBe(128 + 256 + 4);
    expect(bytes.weights).toBe(4 * parameters);
    expect(bytes.inference - bytes.weights).toBe(2 * 32 * 4096 * 388 * 4);
    expect(bytes.training).toBe(16 * parameters + bytes.activations);
  });

  it("grows from preset to preset, as their descriptions say", () => {
    const millions = (["tiny", "small", "base", "paper"] as const).map((name) => ofPreset(name).parameters / 1e6);
    expect(millions[0]).toBeLessThan(1);
    expect(Math.round(millions[1]!)).toBe(5);
    expect(Math.round(millions[2]!)).toBe(86);
    expect(Math.round(millions[3]!)).toBe(6642);
  });
});
