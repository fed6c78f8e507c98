/** @file How large a latent VLA is, by arithmetic alone: nothing is allocated, so the paper's 7B fits on a laptop's screen. */
import { imageTokenCount, textTokenCount } from "./backbone.ts";
import type { BackboneConfig, LatentVlaTrainConfig } from "./config.ts";
import { hiddenWidth } from "./decoder-block.ts";

export type ModelSize = {
  /** Parameters of each part. */
  readonly parts: Readonly<Record<"words" | "image" | "blocks" | "norm" | "latent", number>>;
  readonly parameters: number;
  /** Prompt and latent tokens of one sample. */
  readonly tokens: number;
  /** Bytes in float32. Training: weights, gradients, two moments, and what the backward pass needs of a batch. */
  readonly bytes: {
    readonly weights: number;
    readonly optimizer: number;
    readonly activations: number;
    readonly training: number;
    /** Weights, and keys and values of one sample. */
    readonly inference: number;
  };
};

function stemParameters(config: BackboneConfig): number {
  const { stem, stemChannels: channels, keypoints, patchSize, imageEncoder, width } = config;
  if (stem === "encoder") return imageEncoder.codes > 0 ? imageEncoder.codes * width : (imageEncoder.width + 1) * width;
  if (stem === "patches") return (patchSize ** 2 * 3 + 1) * width;
  const half = Math.ceil(channels / 2);
  const convolutions = 75 * half + half + (9 * half + 1) * channels + (9 * channels + 1) * channels;
  return convolutions + 2 * channels + (channels + 1) * keypoints + (4 + channels + 1) * width;
}

/** Of one block: four projections, the MLP, two norms; biases but the keys' in `gpt`. */
function blockParameters(config: BackboneConfig): number {
  const { width, block } = config;
  const hidden = hiddenWidth(config);
  if (block === "llama") return 4 * width ** 2 + 3 * width * hidden + 2 * width;
  return 4 * width ** 2 + 3 * width + (width + 1) * hidden + (hidden + 1) * width + 4 * width;
}

/**
 * Numbers per token that one block keeps for the backward pass: inputs and results of both norms, queries, keys, values and
 * their mixture; around three of the MLP's inner width (four where it is gated); the scores, before and after the softmax.
 */
function keptPerToken(config: BackboneConfig, tokens: number): number {
  const inner = config.block === "llama" ? 4 : 3;
  return 9 * config.width + inner * hiddenWidth(config) + 2 * config.heads * tokens;
}

/** Counts parameters and estimates memory. What a file says of a frozen encoder must be in the configuration. */
export function modelSize({ model, batch }: Pick<LatentVlaTrainConfig, "model" | "batch">): ModelSize {
  const { width, depth, block, textEncoder, vocabularySize, codesPerStep, codebookSize } = model;
  const isLlama = block === "llama";
  const [text, image] = [textTokenCount(model), imageTokenCount(model)];
  const parts = {
    words:
      (textEncoder.file === "" ? vocabularySize * width : (textEncoder.width + 1) * width) +
      (isLlama ? 0 : text * width),
    image: stemParameters(model) + (isLlama ? 0 : image * width),
    blocks: depth * blockParameters(model),
    norm: (isLlama ? 1 : 2) * width,
    latent: (codesPerStep + codebookSize) * width + (width + 1) * codebookSize,
  };
  const parameters = Object.values(parts).reduce((sum, count) => sum + count, 0);
  const tokens = text + image + codesPerStep;
  const weights = 4 * parameters;
  const activations = 4 * batch * tokens * depth * keptPerToken(model, tokens);
  return {
    parts,
    parameters,
    tokens,
    bytes: {
      ...{ weights, optimizer: 2 * weights, activations, training: 4 * weights + activations },
      inference: weights + 4 * 2 * depth * width * tokens,
    },
  };
}
