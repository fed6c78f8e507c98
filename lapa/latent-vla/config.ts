import { z } from "zod";
import { frozenEncoderConfig, videoDataConfig } from "#lapa/quantizer/index.ts";

/** A frozen picture encoder, of vectors or of codes. */
export const imageEncoderConfig = frozenEncoderConfig.extend({
  codes: z.number().int().min(0).default(0).describe("for a file that gives codes: how many there are"),
});

/** A frozen sentence encoder; what it gives is read from its file. */
export const textEncoderConfig = z.strictObject({
  file: z.string().default("").describe("ONNX file: token ids and mask in, vectors out; empty: own words"),
  tokenizer: z
    .string()
    .default("")
    .describe("WordPiece vocabulary of it (vocab.txt); empty: vocab.txt beside the file"),
  tokens: z.number().int().min(0).default(0).describe("vectors per instruction; set from the file"),
  width: z.number().int().min(0).default(0).describe("width of a vector; set from the file"),
  sha256: z.string().default("").describe("of the file; set from it"),
});

/** The one backbone: a decoder-only transformer over instruction, image and query tokens. */
export const backboneConfig = z.strictObject({
  imageSize: z.number().int().min(16).default(64).describe("side of the square picture, pixels"),
  stem: z
    .enum(["keypoints", "patches", "encoder"])
    .default("keypoints")
    .describe("how the picture becomes tokens; encoder: by the frozen one of imageEncoder"),
  imageEncoder: imageEncoderConfig.prefault({}),
  textEncoder: textEncoderConfig.prefault({}),
  patchSize: z.number().int().min(2).default(8).describe("side of a patch token, pixels (patch stem)"),
  keypoints: z.number().int().min(2).default(24).describe("soft-argmax keypoint tokens (keypoint stem)"),
  heatGain: z.number().positive().default(4).describe("sharpness of the keypoints' heat maps at the start"),
  stemChannels: z.number().int().min(4).default(32).describe("channels of the keypoint stem"),
  textLength: z.number().int().min(1).default(16).describe("instruction tokens, words at most"),
  vocabularySize: z.number().int().min(2).default(2).describe("word tokens; set from the captions"),
  width: z.number().int().min(8).default(128).describe("model width D"),
  depth: z.number().int().min(1).default(3).describe("transformer blocks"),
  heads: z.number().int().min(1).default(4).describe("attention heads G"),
  hidden: z.number().int().min(0).default(0).describe("width inside the blocks' MLP; 0: four times the width"),
  block: z
    .enum(["gpt", "llama"])
    .default("gpt")
    .describe("make of the blocks; llama: RMS norm, rotary positions, gated MLP, as the paper's LWM-7B"),
  codebookSize: z.number().int().min(2).default(8).describe("latent vocabulary K"),
  codesPerStep: z.number().int().min(1).default(2).describe("latent tokens L per step"),
  latentDecoding: z
    .enum(["parallel", "autoregressive"])
    .default("parallel")
    .describe("latent tokens at once from L queries, or one after another as published"),
});

export type BackboneConfig = z.infer<typeof backboneConfig>;

export const latentVlaTrainConfig = z.strictObject({
  model: backboneConfig.prefault({}),
  data: videoDataConfig.prefault({}),
  steps: z.number().int().positive().default(800).describe("training steps"),
  batch: z.number().int().positive().default(128).describe("samples per step"),
  learningRate: z.number().positive().default(1e-3).describe("peak learning rate, cosine to a tenth"),
  warmupSteps: z.number().int().min(0).default(50).describe("linear warm-up, steps"),
  weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay"),
  clipNorm: z.number().positive().default(1).describe("global gradient norm limit"),
  shiftPixels: z.number().int().min(0).default(3).describe("random shift of the picture, pixels"),
  augment: z.number().min(0).max(1).default(0.3).describe("strength of colour augmentation; 0 = none"),
  seed: z.number().int().default(0).describe("seed of weights, batches and augmentation"),
});

export type LatentVlaTrainConfig = z.infer<typeof latentVlaTrainConfig>;
