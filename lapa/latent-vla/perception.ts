/**
 * @file How a backbone comes to see and hear. Its own stems and words are part of the network; frozen encoders, files of
 * others, run before it, outside of the compiled step, and their hash travels with the checkpoint.
 */
import type * as tf from "@tensorflow/tfjs";
import { ConfigError } from "#core/errors.ts";
import { encodeText, type Vocabulary } from "#core/text/word-tokenizer.ts";
import type { Executor, InputSpec } from "#engine/index.ts";
import { applyColour, colourSize, openFrozenEncoder, toModelRange } from "#lapa/quantizer/index.ts";
import { imageTokenCount, textTokenCount } from "./backbone.ts";
import type { BackboneConfig } from "./config.ts";
import { openTextEncoder } from "./text-encoder.ts";

/** i32[T] of own words, or f32[T, E] of a sentence encoder. */
export type Words = Int32Array | Float32Array;
/** u8[B, H, W, 3]; f32[B, N, F] or i32[B, N] of a frozen encoder. */
export type Pictures = Uint8Array | Float32Array | Int32Array;

export type Perception = {
  /** With what the frozen encoders' files say filled in. */
  readonly config: BackboneConfig;
  /** @throws ConfigError when the instruction is longer than the context */
  words(instruction: string): Promise<Words>;
  /** @param pixels u8[B, H, W, 3] */
  pictures(pixels: Uint8Array): Promise<Pictures>;
  dispose(): Promise<void>;
};

const hasFrozenEyes = ({ stem }: BackboneConfig) => stem === "encoder";
const hasFrozenEars = ({ textEncoder }: BackboneConfig) => textEncoder.file !== "";

/** Inputs of a compiled function that sees and hears; `colour` in training, where the pictures are pixels. */
export function perceptionSpecs(
  config: BackboneConfig,
  batch: number,
  { colour = false }: { readonly colour?: boolean } = {},
): Record<string, InputSpec> {
  const { imageSize, imageEncoder, textEncoder } = config;
  const tokens = imageTokenCount(config);
  const pixels: InputSpec = { shape: [batch, imageSize, imageSize, 3], dtype: "uint8" };
  const features: InputSpec =
    imageEncoder.codes > 0
      ? { shape: [batch, tokens], dtype: "int32" }
      : { shape: [batch, tokens, imageEncoder.width], dtype: "float32" };
  return {
    images: hasFrozenEyes(config) ? features : pixels,
    words: hasFrozenEars(config)
      ? { shape: [batch, textTokenCount(config), textEncoder.width], dtype: "float32" }
      : { shape: [batch, textTokenCount(config)], dtype: "int32" },
    ...(colour && !hasFrozenEyes(config) ? { colour: { shape: [batch, colourSize], dtype: "float32" } as const } : {}),
  };
}

/** The inputs as `promptTokens` takes them. */
export function perceive(
  config: BackboneConfig,
  inputs: Readonly<Record<string, tf.Tensor>>,
): { images: tf.Tensor; words: tf.Tensor } {
  const { images, words, colour } = inputs;
  if (hasFrozenEyes(config)) return { images: images!, words: words! };
  const seen = toModelRange(images as tf.Tensor4D);
  return { images: colour === undefined ? seen : applyColour(seen, colour as tf.Tensor2D), words: words! };
}

/** A batch of pixels as the compiled function takes it. */
export async function perceiveBatch<B extends { readonly images: Uint8Array; readonly colour?: Float32Array }>(
  config: BackboneConfig,
  { pictures }: Perception,
  batch: B,
): Promise<Omit<B, "images"> & { images: Pictures }> {
  if (!hasFrozenEyes(config)) return batch;
  const { images, colour: _, ...rest } = batch;
  return { ...rest, images: await pictures(images) } as Omit<B, "images"> & { images: Pictures };
}

/**
 * Opens what a backbone sees and hears with.
 *
 * @throws UserError when a frozen encoder's file is missing or is not the one that the backbone was trained with;
 *   ConfigError when it gives codes and their number is not said
 */
export async function openPerception(
  given: BackboneConfig,
  vocabulary: Vocabulary,
  executor: Executor,
): Promise<Perception> {
  const ears = hasFrozenEars(given) ? await openTextEncoder(given) : undefined;
  const eyes = hasFrozenEyes(given) ? await openFrozenEncoder(given, executor) : undefined;
  const imageEncoder = eyes?.config ?? given.imageEncoder;
  const isCoded = eyes !== undefined && imageEncoder.width === 0;
  if (isCoded && imageEncoder.codes === 0) {
    await eyes.dispose();
    throw new ConfigError(
      `imageEncoder.codes: must say how many codes there are, as ${imageEncoder.file} gives codes, got 0. Pass --model.imageEncoder.codes.`,
    );
  }
  const config: BackboneConfig = {
    ...given,
    imageEncoder: eyes && !isCoded ? { ...imageEncoder, codes: 0 } : imageEncoder,
    textEncoder: ears?.config ?? given.textEncoder,
  };
  const side = config.imageSize;
  const size = side * side * 3;
  return {
    config,
    words: async (instruction) => ears?.encode(instruction) ?? encodeText(vocabulary, instruction, config.textLength),
    async pictures(pixels) {
      if (eyes === undefined) return pixels;
      const images = Array.from({ length: pixels.length / size }, (_, row) => {
        return { data: pixels.subarray(row * size, (row + 1) * size), height: side, width: side };
      });
      const features = await eyes.encode(images);
      return isCoded ? Int32Array.from(features) : features;
    },
    dispose: async () => eyes?.dispose(),
  };
}

/** Works with what a backbone sees and hears with, open meanwhile. @throws as `openPerception` */
export async function withPerception<T>(
  config: BackboneConfig,
  vocabulary: Vocabulary,
  executor: Executor,
  work: (perception: Perception) => Promise<T>,
): Promise<T> {
  const perception = await openPerception(config, vocabulary, executor);
  try {
    return await work(perception);
  } finally {
    await perception.dispose();
  }
}
