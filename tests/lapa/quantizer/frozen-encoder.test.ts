import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type Executor, exportOnnx, tf } from "#engine/index.ts";
import { frozenEncoderConfig, quantizerModelConfig } from "#lapa/quantizer/config.ts";
import { openEyes } from "#lapa/quantizer/eyes.ts";
import { openFrozenEncoder } from "#lapa/quantizer/frozen-encoder.ts";
import { unfuseGraph } from "#lapa/quantizer/unfuse-graph.ts";
import { writeImageEncoder } from "../latent-vla/encoder-files.ts";
import { writeGraphModel } from "./graph-file.ts";

const folder = mkdtempSync(join(tmpdir(), "armature-encoder-"));
let executor: Executor;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** In [0, 1] as it is. */
const plain = { mean: [0, 0, 0], std: [1, 1, 1] };
const open = (given: object, imageSize = 16) =>
  openFrozenEncoder({ imageEncoder: frozenEncoderConfig.parse({ ...plain, ...given }), imageSize }, executor);
/** Left half (51, 102, 255), right half black. */
const picture = (side: number) => ({
  ...{ height: side, width: side },
  data: Uint8Array.from({ length: side * side * 3 }, (_, at) =>
    Math.floor(at / 3) % side < side / 2 ? [51, 102, 255][at % 3]! : 0,
  ),
});
/** relu(r, 2 g, b - 1) of left and right tokens. */
const row = [0.2, 0.8, 0, 0.2, 0.8, 0, 0, 0, 0, 0, 0, 0];

describe("a TensorFlow.js graph model", () => {
  it("becomes a program of the engine: tokens of each picture, row by row", async () => {
    const file = writeGraphModel(join(folder, "graph"));
    const encoder = await open({ file });
    expect(encoder.shape(16, 16)).toEqual({ tokens: 16, width: 3 });
    expect(encoder.config).toMatchObject({ tokens: 16, width: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const many = Array.from({ length: 17 }, () => picture(16));
    const features = await encoder.encode(many);
    expect(features.length).toBe(17 * 48);
    expect([...features.subarray(16 * 48)]).toBeAllClose([...row, ...row, ...row, ...row], { absolute: 1e-5 });
    await encoder.dispose();
  });

  it("takes pictures of another size where it is asked to, and resizes what it is shown", async () => {
    const file = writeGraphModel(join(folder, "larger"));
    const encoder = await open({ file, size: 32, output: "means" });
    expect(encoder.shape(16, 16)).toEqual({ tokens: 64, width: 3 });
    const features = await encoder.encode([picture(16)]);
    expect([...features.subarray(0, 3)]).toBeAllClose([0.2, 0.8, 0], { absolute: 1e-5 });
    await encoder.dispose();
  });

  it("is refused with other weights, cut ones or none", async () => {
    const file = writeGraphModel(join(folder, "weights"));
    const trained = await open({ file });
    const { sha256 } = trained.config;
    await trained.dispose();
    const weights = join(folder, "weights", "weights.bin");
    const bytes = readFileSync(weights);
    writeFileSync(
      weights,
      bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
    );
    await expect(open({ file, sha256 })).rejects.toThrow("must be the file that the model was trained with");
    writeFileSync(weights, bytes.subarray(0, 100));
    await expect(open({ file })).rejects.toThrow("must have 588 bytes of weights beside it, has 100");
    rmSync(weights);
    await expect(open({ file })).rejects.toThrow(`weights.bin: must be there: ${file} keeps weights in it.`);
  });

  it("is refused when it was not trained with, is missing, is none, or computes what nobody knows", async () => {
    const file = writeGraphModel(join(folder, "other"));
    await expect(open({ file, sha256: "0".repeat(64) })).rejects.toThrow(
      "must be the file that the model was trained with",
    );
    await expect(open({ file: join(folder, "nowhere.onnx") })).rejects.toThrow("does not exist");
    const none = join(folder, "none.json");
    writeFileSync(none, "{}");
    await expect(open({ file: none })).rejects.toThrow("must be the model.json of a TensorFlow.js graph model");
    const strange = writeGraphModel(join(folder, "strange"), { fused: ["BiasAdd", "Gelu"] });
    await expect(open({ file: strange })).rejects.toThrow("means has Gelu");
  });
});

describe("unfuseGraph", () => {
  it("keeps the last step's name, gives the bias its input and leaves other nodes alone", () => {
    const text = (value: string) => Buffer.from(value).toString("base64");
    const attr = {
      T: { type: "DT_FLOAT" },
      fused_ops: { list: { s: [text("BiasAdd"), text("Relu6")] } },
      num_args: { i: "1" },
    };
    const other = { name: "x", op: "Placeholder" };
    const nodes = unfuseGraph(
      [other, { name: "c", op: "FusedDepthwiseConv2dNative", input: ["x", "w", "b"], attr }],
      "m",
    );
    const shown = nodes.map(({ name, op, input }) => [name, op, input]);
    expect(shown).toEqual([
      ["x", "Placeholder", undefined],
      ["c/step0", "DepthwiseConv2dNative", ["x", "w"]],
      ["c/step1", "BiasAdd", ["c/step0", "b"]],
      ["c", "Relu6", ["c/step1"]],
    ]);
    expect(nodes[1]!.attr).toEqual({ T: { type: "DT_FLOAT" } });
  });
});

describe("an ONNX file", () => {
  it("is shown pictures in its own size, and they do not move", async () => {
    const file = writeImageEncoder(folder, "maps");
    const encoder = await open({ file }, 2);
    const corner = { data: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0), height: 2, width: 2 };
    const red = [...(await encoder.encode([corner]))].filter((_, index) => index % 3 === 0);
    // Along one axis the mean share of the far pixel is 1/8 in the near half and 7/8 in the far one.
    const share = [1 / 8, 7 / 8];
    expect(red).toBeAllClose([0, 1].flatMap((y) => [0, 1].map((x) => share[y]! * share[x]!)));
    await encoder.dispose();
  });

  it("may give codes, one whole number for each token", async () => {
    const encoder = await open({ file: writeImageEncoder(folder, "codes"), mean: [0.1, 0.1, 0.1] });
    expect(encoder.shape(16, 16)).toEqual({ tokens: 4, width: 0 });
    expect([...(await encoder.encode([picture(16), picture(16)]))]).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
    await encoder.dispose();
  });

  it("of codes is no quantizer's eyes: there is no distance between them", async () => {
    const imageEncoder = { file: writeImageEncoder(folder, "codes") };
    const config = quantizerModelConfig.parse({ stem: "encoder", imageSize: 16, imageEncoder });
    await expect(openEyes(config, executor)).rejects.toThrow("must give features, gives whole numbers");
  });

  it("gives tokens whatever the order of its axes", async () => {
    // [2, 3, 16, 16] to a map [2, 3, 4, 4] of means over 4 x 4 patches.
    const bytes = exportOnnx((_, { x }) => ({ outputs: { y: tf.mean(tf.reshape(x!, [2, 3, 4, 4, 4, 4]), [3, 5]) } }), {
      name: "means",
      state: {},
      inputs: { x: { shape: [2, 3, 16, 16], dtype: "float32" } },
    });
    const file = join(folder, "means.onnx");
    writeFileSync(file, bytes);
    const encoder = await open({ file });
    expect(encoder.shape(16, 16)).toEqual({ tokens: 16, width: 3 });
    const features = await encoder.encode([picture(16), picture(16), picture(16)]);
    expect([...features.subarray(96, 102)]).toBeAllClose([0.2, 0.4, 1, 0.2, 0.4, 1], { absolute: 1e-5 });
    await encoder.dispose();
  });

  it("is refused when it is none", async () => {
    const file = join(folder, "broken.onnx");
    writeFileSync(file, "no model");
    await expect(open({ file })).rejects.toThrow("must be an ONNX model");
  });
});
