import { describe, expect, it } from "@jest/globals";
import { createRng } from "#core/rng.ts";
import { compile, createExecutor, type HostArray, mapTree, type Tree, tf } from "#engine/index.ts";
import { withBackend } from "#engine/tf.ts";
import { answerInOrder } from "#lapa/latent-vla/answer-in-order.ts";
import { promptTokens } from "#lapa/latent-vla/backbone.ts";
import { backboneConfig } from "#lapa/latent-vla/config.ts";
import { initLatentVla, type LatentVlaParameters, latentLogits, sayLatent } from "#lapa/latent-vla/model.ts";

const size = { imageSize: 16, keypoints: 3, stemChannels: 4, width: 8, depth: 2, heads: 2, textLength: 3 };
const sequence = { vocabularySize: 5, codebookSize: 5, codesPerStep: 4, latentDecoding: "autoregressive" };
const asTensors = <P>(tree: unknown) =>
  mapTree(tree as Tree<HostArray>, ({ data, shape }) => tf.tensor(data, [...shape])) as unknown as P;
const numbers = (work: () => tf.Tensor) => withBackend("cpu", () => tf.tidy(() => Array.from(work().dataSync())));
const rng = createRng("answers");
const pixels = Float32Array.from({ length: 2 * 16 * 16 * 3 }, () => rng.uniform(-1, 1));
const see = () => tf.tensor(pixels, [2, 16, 16, 3]);
const hear = () => tf.tensor2d([1, 2, 3, 4, 0, 0], [2, 3], "int32");

describe.each(["gpt", "llama"] as const)("answerInOrder with %s blocks", (block) => {
  const config = backboneConfig.parse({ ...size, ...sequence, block });
  const given = initLatentVla(createRng(3), config);
  const params = () => asTensors<LatentVlaParameters<tf.Tensor>>(given);
  const decode = (useCache: boolean, allowed?: number[]) =>
    numbers(() => {
      const { trunk, latent } = params();
      const prompt = promptTokens(trunk, config, see(), hear());
      const speaker = { queries: latent.queries, spoken: latent.codes, classify: latent.classify };
      const table = allowed && tf.tensor2d(allowed, [4, 5]);
      const found = answerInOrder(trunk, config, prompt, speaker, { useCache, ...(table ? { allowed: table } : {}) });
      return tf.concat([tf.cast(tf.reshape(found.answers, [-1]), "float32"), tf.reshape(found.logits, [-1])]);
    });

  it("gives with the cache what it gives without it", () => {
    expect(decode(true)).toBeAllClose(decode(false));
  });

  it("says what is likeliest after its own earlier answers", () => {
    const codes = decode(true).slice(0, 8);
    const taught = numbers(() =>
      tf.argMax(latentLogits(params(), config, see(), hear(), tf.tensor2d(codes, [2, 4], "int32")), -1),
    );
    expect(codes).toEqual(taught);
    expect(new Set(codes).size).toBeGreaterThan(1);
  });

  it("never says what is not allowed at a place", () => {
    const allowed = [0, 1, 2, 3].flatMap((place) => [0, 1, 2, 3, 4].map((code) => (code === place ? 1 : 0)));
    expect(decode(true, allowed).slice(0, 8)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it("compiles into one program that gives the same codes", async () => {
    const executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
    try {
      const program = await compile(
        (leaves, inputs) => {
          const model = leaves as unknown as LatentVlaParameters<tf.Tensor>;
          return { outputs: { codes: sayLatent(model, config, inputs.images!, inputs.words!) } };
        },
        {
          name: "say",
          state: given as never,
          inputs: { images: { shape: [2, 16, 16, 3], dtype: "float32" }, words: { shape: [2, 3], dtype: "int32" } },
          executor,
        },
      );
      const { codes } = await program.run({ images: pixels, words: Int32Array.of(1, 2, 3, 4, 0, 0) });
      expect(Array.from(codes!.data)).toEqual(decode(false).slice(0, 8));
    } finally {
      await executor.dispose();
    }
  });
});
