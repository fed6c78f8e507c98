import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createExecutor, type Executor } from "#engine/index.ts";
import { backboneConfig } from "#lapa/latent-vla/config.ts";
import { openPerception, perceiveBatch, perceptionSpecs } from "#lapa/latent-vla/perception.ts";
import { openTextEncoder } from "#lapa/latent-vla/text-encoder.ts";
import { writeImageEncoder, writeTextEncoder } from "./encoder-files.ts";

let folder: string;
let executor: Executor;
beforeAll(async () => {
  executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "armature-encoders-"));
});
afterAll(async () => {
  await executor.dispose();
  rmSync(folder, { recursive: true });
});

const configOf = (given: object) => backboneConfig.parse({ imageSize: 16, textLength: 5, ...given });

/** 255 in the lower right quarter's red, else 0. */
function picture(): Uint8Array {
  const pixels = new Uint8Array(16 * 16 * 3);
  for (let y = 8; y < 16; y++) for (let x = 8; x < 16; x++) pixels[(y * 16 + x) * 3] = 255;
  return pixels;
}

const openEyes = (imageEncoder: object) => openPerception(configOf({ stem: "encoder", imageEncoder }), [], executor);

describe("a frozen image encoder", () => {
  it("turns feature maps into tokens, row by row, from pixels in the encoder's range", async () => {
    const file = writeImageEncoder(folder, "maps");
    const eyes = await openEyes({ file, codes: 7 });
    expect(eyes.config.imageEncoder).toMatchObject({ tokens: 4, width: 3, codes: 0 });
    const dark = [-1, -1, -1];
    expect([...(await eyes.pictures(picture()))]).toBeAllClose([...dark, ...dark, ...dark, 1, -1, -1]);
    const other = await openEyes({ file, mean: [1, 0, 0], std: [2, 1, 1] });
    expect([...(await other.pictures(picture()))].slice(9)).toBeAllClose([0, 0, 0]);
    await Promise.all([eyes.dispose(), other.dispose()]);
  });

  it("gives the codes of a tokenizer as whole numbers, of several pictures one after another", async () => {
    const perception = await openEyes({ file: writeImageEncoder(folder, "codes"), codes: 2, mean: [0.1, 0.1, 0.1] });
    const { config } = perception;
    await expect(openEyes({ file: config.imageEncoder.file })).rejects.toThrow("imageEncoder.codes: must say how many");
    expect(config.imageEncoder).toMatchObject({ tokens: 4, width: 0, codes: 2 });
    expect(perceptionSpecs(config, 2, { colour: true })).toEqual({
      images: { shape: [2, 4], dtype: "int32" },
      words: { shape: [2, 5], dtype: "int32" },
    });
    const images = new Uint8Array(2 * 768);
    images.set(picture(), 768);
    const seen = await perceiveBatch(config, perception, { images, colour: new Float32Array(24) });
    expect(seen).toEqual({ images: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 1) });
  });

  it("refuses a file that is missing, no model, or another than was trained with", async () => {
    await expect(openEyes({ file: join(folder, "nothing.onnx") })).rejects.toThrow("does not exist");
    const broken = join(folder, "broken.onnx");
    writeFileSync(broken, "no model");
    await expect(openEyes({ file: broken })).rejects.toThrow("must be an ONNX model");
    const file = writeImageEncoder(folder, "maps");
    const { config, dispose } = await openEyes({ file });
    await dispose();
    appendFileSync(file, "x");
    await expect(openPerception(config, [], executor)).rejects.toThrow(
      "must be the file that the model was trained with",
    );
  });
});

describe("openTextEncoder", () => {
  it("cuts words into pieces, gives a vector for each and zeros behind the end", async () => {
    const file = writeTextEncoder(folder, 5);
    const encoder = await openTextEncoder(configOf({ textEncoder: { file } }));
    expect(encoder.config).toMatchObject({ tokens: 5, width: 2 });
    // [CLS] push ##ing [SEP]
    expect([...(await encoder.encode("PÚSHing"))]).toEqual([2, -2, 4, -4, 5, -5, 3, -3, 0, 0]);
    expect([...(await encoder.encode("lift the"))].slice(2, 6)).toEqual([1, -1, 6, -6]);
  });

  it("refuses an instruction that is longer than the context", async () => {
    const config = configOf({ textEncoder: { file: writeTextEncoder(folder, 5) } });
    const perception = await openPerception(config, [], executor);
    await expect(perception.words("push the block!")).rejects.toThrow(
      "at most 5 word pieces with its two marks, got 6",
    );
  });

  it("says when the vocabulary is missing or is none", async () => {
    const textEncoder = { file: writeTextEncoder(folder, 5), tokenizer: join(folder, "none.txt") };
    await expect(openTextEncoder(configOf({ textEncoder }))).rejects.toThrow("none.txt does not exist");
    writeFileSync(textEncoder.tokenizer, "a\nb");
    await expect(openTextEncoder(configOf({ textEncoder }))).rejects.toThrow("has no [UNK]");
  });
});
