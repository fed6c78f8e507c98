/** @file Training batches of frame pairs: a pure function of seed and step, so that a resumed run draws the same. */

import { createRng, type Rng } from "#core/rng.ts";
import type { FrameCache } from "#datasets/frame-cache.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { InputSpec } from "#engine/index.ts";
import { colourSize, drawColour } from "./colour.ts";
import type { QuantizerTrainConfig } from "./config.ts";
import { mirrorPicture } from "./mirror.ts";

/** Pictures by clip and frame, u8[size, size, 3] each. */
export type Frames = Pick<FrameCache, "size" | "clips" | "read">;

/** Pairs whose true action is known: f32[N, A], mean 0 and variance 1 over the set. */
export type LabelledPairs = { readonly pairs: FramePairs; readonly actions: Float32Array };

export type PairSource = {
  readonly frames: Frames;
  readonly pairs: FramePairs;
  /** For the grounding head and for a guaranteed share of the robot's own pictures. */
  readonly labelled?: LabelledPairs;
};

/** Shapes of one batch, for the compiled step. */
export function quantizerInputs({ model, batch }: QuantizerTrainConfig): Record<string, InputSpec> {
  const { imageSize, codebookSize, codesPerStep, codeWidth, groundingDims } = model;
  return {
    frames: { shape: [batch, 2, imageSize, imageSize, 3], dtype: "uint8" },
    colour: { shape: [batch, colourSize], dtype: "float32" },
    reseed: { shape: [codebookSize], dtype: "int32" },
    ...(model.quantization === "nsvq"
      ? { noise: { shape: [batch * codesPerStep, codeWidth], dtype: "float32" } as const }
      : {}),
    ...(groundingDims > 0
      ? {
          action: { shape: [batch, groundingDims], dtype: "float32" } as const,
          known: { shape: [batch], dtype: "float32" } as const,
        }
      : {}),
  };
}

type BatchArrays = {
  readonly frames: Uint8Array;
  readonly colour: Float32Array;
  readonly action: Float32Array;
  readonly known: Float32Array;
};

function fillRow(source: PairSource, config: QuantizerTrainConfig, rng: Rng, row: number, into: BatchArrays): void {
  const { frames, labelled } = source;
  const pixels = frames.size * frames.size * 3;
  const isLabelled = labelled !== undefined && row < Math.round(config.labelledShare * config.batch);
  const pairs = isLabelled ? labelled.pairs : source.pairs;
  const pair = rng.integer(pairs.length);
  frames.read(pairs.clip[pair]!, pairs.first[pair]!, into.frames, 2 * row * pixels);
  frames.read(pairs.clip[pair]!, pairs.second[pair]!, into.frames, (2 * row + 1) * pixels);
  if (config.mirror && !isLabelled) {
    const how = { horizontal: rng.next() < 0.5, vertical: rng.next() < 0.5 };
    for (const time of [0, 1]) mirrorPicture(into.frames, (2 * row + time) * pixels, frames.size, how);
  }
  drawColour(rng, { strength: config.augment, polarity: config.polarity }, into.colour, row * colourSize);
  const size = config.model.groundingDims;
  if (isLabelled && size > 0) {
    into.known[row] = 1;
    into.action.set(labelled.actions.subarray(pair * size, (pair + 1) * size), row * size);
  }
}

/** The batch of one step. */
export function quantizerBatch(source: PairSource, config: QuantizerTrainConfig, step: number) {
  const { model, batch } = config;
  const rng = createRng(`quantizer/${config.seed}/${step}`);
  const arrays: BatchArrays = {
    frames: new Uint8Array(batch * 2 * model.imageSize ** 2 * 3),
    colour: new Float32Array(batch * colourSize),
    action: new Float32Array(batch * model.groundingDims),
    known: new Float32Array(batch),
  };
  for (let row = 0; row < batch; row++) fillRow(source, config, rng, row, arrays);
  const latents = batch * model.codesPerStep;
  return {
    frames: arrays.frames,
    colour: arrays.colour,
    reseed: Int32Array.from({ length: model.codebookSize }, () => rng.integer(latents)),
    ...(model.quantization === "nsvq"
      ? { noise: Float32Array.from({ length: latents * model.codeWidth }, () => rng.normal()) }
      : {}),
    ...(model.groundingDims > 0 ? { action: arrays.action, known: arrays.known } : {}),
  };
}
