import { z } from "zod";
import { videoDataConfig } from "./video-data.ts";

/** A frozen picture encoder, opened beside the model; what it gives is read from its file. */
export const frozenEncoderConfig = z.strictObject({
  file: z.string().default("").describe("ONNX file, or model.json of a TensorFlow.js graph model: pictures to vectors"),
  output: z.string().default("").describe("name of a graph model's tensor to take; empty: its output"),
  size: z.number().int().min(0).default(0).describe("side of the pictures that it takes, pixels; 0: as the file says"),
  mean: z.array(z.number()).length(3).default([0.5, 0.5, 0.5]).describe("subtracted from red, green, blue in [0, 1]"),
  std: z.array(z.number().positive()).length(3).default([0.5, 0.5, 0.5]).describe("they are then divided by this"),
  tokens: z.number().int().min(0).default(0).describe("tokens of a picture; set from the file"),
  width: z.number().int().min(0).default(0).describe("width of a token; set from the file"),
  sha256: z.string().default("").describe("of the file; set from it"),
});
export type FrozenEncoderConfig = z.infer<typeof frozenEncoderConfig>;

/** Size and form of the latent action model. Lengths in pixels, tokens or channels; times in seconds. */
const modelFields = z.strictObject({
  architecture: z
    .enum(["compact", "published"])
    .default("compact")
    .describe("published: the paper's network; compact: ours, which learns actions from minutes of data"),
  parity: z
    .boolean()
    .default(false)
    .describe("published: keep the released code's three slips (code layout, grid over time, temporal mask)"),
  imageSize: z.number().int().min(16).default(64).describe("side of the square frames, pixels"),
  patchSize: z.number().int().min(2).default(8).describe("side of a decoder patch (and of a patch-stem token), pixels"),
  width: z.number().int().min(8).default(96).describe("model width D"),
  heads: z.number().int().min(1).default(4).describe("attention heads G"),
  stem: z
    .enum(["keypoints", "patches", "encoder"])
    .default("keypoints")
    .describe(
      "what the code may speak of: keypoints (what moved where), patches (anything, as published), or the frozen imageEncoder's features",
    ),
  target: z
    .enum(["pixels", "own", "encoder"])
    .default("pixels")
    .describe(
      "what codes must predict: pixels, tokens of the own encoder averaged over steps, or the frozen imageEncoder's features; the last two leave the pixel decoder to learn beside them, as a viewer",
    ),
  targetDecay: z.number().min(0).lt(1).default(0.99).describe("decay of the own encoder's averaged weights per step"),
  imageEncoder: frozenEncoderConfig.prefault({}),
  keypoints: z.number().int().min(2).default(24).describe("soft-argmax keypoints P per frame (keypoint stem)"),
  heatGain: z
    .number()
    .positive()
    .default(4)
    .describe("sharpness of the keypoints' heat maps at the start (keypoint stem)"),
  stemChannels: z.number().int().min(4).default(32).describe("channels of the keypoint stem's convolutions"),
  spatialDepth: z.number().int().min(0).default(2).describe("spatial transformer blocks per frame (patch stem)"),
  temporalDepth: z
    .number()
    .int()
    .min(0)
    .default(1)
    .describe("transformer blocks over time (patches) or keypoint moves"),
  antisymmetric: z
    .boolean()
    .default(true)
    .describe("encode a pair as g(move) - g(-move): no motion is zero, and a pair played backwards the opposite"),
  decoderDepth: z
    .number()
    .int()
    .min(1)
    .default(2)
    .describe("decoder blocks: self-attention, cross-attention to codes, mlp"),
  codebookSize: z.number().int().min(2).default(8).describe("codebook entries K"),
  codesPerStep: z.number().int().min(1).default(4).describe("codes L per frame pair"),
  codeWidth: z.number().int().min(2).default(16).describe("width of one code vector"),
  quantization: z
    .enum(["ema", "nsvq", "fsq"])
    .default("ema")
    .describe(
      "ema: straight-through with an averaged codebook; nsvq: noise substitution as published; fsq: rounded scalars",
    ),
  fsqLevels: z
    .array(z.number().int().min(2))
    .default([3, 3])
    .describe("levels of each scalar of a code (fsq); odd ones keep no motion at zero"),
  codebooks: z
    .enum(["shared", "per-position"])
    .default("shared")
    .describe("one codebook for the L codes of a pair, or one for each of them (ema, nsvq)"),
  codebookDecay: z.number().min(0).max(0.9999).default(0.95).describe("decay of the averaged codebook per step"),
  reseedBelow: z
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe("a code whose share of use falls below this fraction of 1/K takes over a live encoder output"),
  commitment: z.number().min(0).default(1).describe("weight of the commitment term"),
  motionWeight: z.number().min(0).default(2).describe("extra reconstruction weight of moving pixels"),
  relative: z
    .boolean()
    .default(true)
    .describe("measure each pair's error against its own change, so that small moves count as much as large ones"),
  timed: z
    .boolean()
    .default(false)
    .describe("tell the decoder how much time lies between the frames, set from offsetsS"),
  reversalWeight: z
    .number()
    .min(0)
    .default(0)
    .describe("weight of |e(x1, x2) + e(x2, x1)|²: backwards is the opposite; an antisymmetric encoder is that anyway"),
  groundingDims: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("action dimensions of the grounding head, set from the data sets; 0: no head"),
  groundingWeight: z.number().min(0).default(0.1).describe("weight of the grounding loss on labelled pairs"),
});

/** Whether a frozen encoder looks at the frames. */
export const needsEyes = ({ stem, target }: { readonly stem: string; readonly target: string }): boolean =>
  stem === "encoder" || target === "encoder";

export const quantizerModelConfig = modelFields.superRefine((model, { addIssue }) => {
  const refuse = (path: string, message: string) => addIssue({ code: "custom", path: [path], message });
  const isPublished = model.architecture === "published";
  if (isPublished && model.target !== "pixels") refuse("target", "must be pixels with architecture published");
  if (isPublished && model.stem === "encoder") refuse("stem", "must not be encoder with architecture published");
  if (model.target === "own" && model.stem !== "patches") {
    refuse("target", `own needs --model.stem patches, got ${model.stem}`);
  }
  if (needsEyes(model) && model.imageEncoder.file === "") {
    refuse("imageEncoder", "must name a file where stem or target is encoder. Pass --model.imageEncoder.file");
  }
  if (model.quantization !== "fsq") return;
  const wanted = {
    codebookSize: model.fsqLevels.reduce((product, levels) => product * levels, 1),
    codeWidth: model.fsqLevels.length,
  };
  for (const [name, value] of Object.entries(wanted)) {
    const got = model[name as keyof typeof wanted];
    if (got === value) continue;
    addIssue({
      code: "custom",
      path: [name],
      message: `must be ${value} for levels ${model.fsqLevels.join(" x ")}, got ${got}. Pass --model.${name} ${value}`,
    });
  }
  if (model.codebooks === "per-position") {
    addIssue({
      code: "custom",
      path: ["codebooks"],
      message: "must be shared with fsq: its grid is the same everywhere",
    });
  }
});

export type QuantizerModelConfig = z.infer<typeof quantizerModelConfig>;

export const quantizerTrainConfig = z.strictObject({
  model: quantizerModelConfig.prefault({}),
  data: videoDataConfig.prefault({}),
  offsetS: z.number().positive().default(0.4).describe("time between the two frames of a pair, seconds"),
  offsetsS: z
    .array(z.number().positive())
    .default([])
    .describe("further times between the frames of training pairs, seconds; the decoder is told which"),
  steps: z.number().int().positive().default(800).describe("training steps"),
  batch: z.number().int().positive().default(64).describe("frame pairs per step"),
  learningRate: z.number().positive().default(2e-3).describe("peak learning rate"),
  warmupSteps: z.number().int().min(0).default(50).describe("linear warm-up, steps"),
  schedule: z
    .enum(["cosine", "constant"])
    .default("cosine")
    .describe("learning rate after its peak: falls to a tenth along a cosine, or stays"),
  beta2: z.number().min(0).lt(1).default(0.999).describe("Adam's decay of the averaged squared gradient"),
  weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay"),
  clipNorm: z.number().positive().default(1).describe("global gradient norm limit"),
  minMotion: z
    .number()
    .min(0)
    .default(0.2)
    .describe("pairs whose mean absolute difference is below this are left out, grey levels"),
  augment: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe("strength of colour augmentation, the same on both frames; 0 = none"),
  polarity: z
    .boolean()
    .default(true)
    .describe(
      "turn light into dark in half of the pairs: a dark arm on a light table moves like a light hand on a dark one",
    ),
  mirror: z
    .boolean()
    .default(false)
    .describe("mirror both frames of unlabelled pairs at random, so that codes speak of directions in the picture"),
  crop: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe("share of the side by which a random cut-out, the same of both frames, may be smaller; 0 = none"),
  backwards: z.boolean().default(false).describe("play half of the unlabelled pairs backwards"),
  grounding: z
    .boolean()
    .default(true)
    .describe("let the codes of labelled pairs tell their action, where data sets are given"),
  labelledShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.15)
    .describe("share of a batch that is drawn from labelled pairs, where there are any"),
  allowCollapse: z.boolean().default(false).describe("go on although one code speaks for everything"),
  seed: z.number().int().default(0).describe("seed of weights, batches and augmentation"),
});

export type QuantizerTrainConfig = z.infer<typeof quantizerTrainConfig>;
