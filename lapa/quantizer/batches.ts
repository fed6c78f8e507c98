/** @file Training batches of frame pairs: a pure function of seed and step, so that a resumed run draws the same. */

import { createRng, type Rng } from "#core/rng.ts";
import type { FrameCache } from "#datasets/frame-cache.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import type { InputSpec } from "#engine/index.ts";
import { codebookRows } from "./code-space.ts";
import { colourSize, drawColour } from "./colour.ts";
import type { QuantizerTrainConfig } from "./config.ts";
import { cropPicture, drawCutOut } from "./crop.ts";
import { featureSpecs } from "./eyes.ts";
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
  const { imageSize, codesPerStep, codeWidth, groundingDims } = model;
  return {
    frames: { shape: [batch, 2, imageSize, imageSize, 3], dtype: "uint8" },
    colour: { shape: [batch, colourSize], dtype: "float32" },
    reseed: { shape: [codebookRows(model)], dtype: "int32" },
    ...(model.timed ? { logTime: { shape: [batch, 1], dtype: "float32" } as const } : {}),
    ...featureSpecs(model, batch),
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
  readonly logTime: Float32Array;
};

const forwards = ["first", "second"] as const;

/** Seconds from the first frame of a pair to its second. */
function timeBetween(frames: Frames, { clip, first, second }: FramePairs, pair: number): number {
  const { timestampsS } = frames.clips[clip[pair]!]!;
  return timestampsS[second[pair]!]! - timestampsS[first[pair]!]!;
}

/** For each row of the codebook the latent that it would take over: any, or one of its own position. */
function drawReseed({ model, batch }: QuantizerTrainConfig, rng: Rng): Int32Array {
  const { codesPerStep, codebookSize, codebooks } = model;
  return Int32Array.from({ length: codebookRows(model) }, (_, row) =>
    codebooks === "per-position"
      ? rng.integer(batch) * codesPerStep + Math.floor(row / codebookSize)
      : rng.integer(batch * codesPerStep),
  );
}

function fillRow(source: PairSource, config: QuantizerTrainConfig, rng: Rng, row: number, into: BatchArrays): void {
  const { frames, labelled } = source;
  const pixels = frames.size * frames.size * 3;
  const isLabelled = labelled !== undefined && row < Math.round(config.labelledShare * config.batch);
  const pairs = isLabelled ? labelled.pairs : source.pairs;
  const pair = rng.integer(pairs.length);
  const order = config.backwards && !isLabelled && rng.next() < 0.5 ? (["second", "first"] as const) : forwards;
  for (const [time, which] of order.entries()) {
    frames.read(pairs.clip[pair]!, pairs[which][pair]!, into.frames, (2 * row + time) * pixels);
  }
  if (config.mirror && !isLabelled) {
    const how = { horizontal: rng.next() < 0.5, vertical: rng.next() < 0.5 };
    for (const time of [0, 1]) mirrorPicture(into.frames, (2 * row + time) * pixels, frames.size, how);
  }
  if (config.crop > 0) {
    const cutOut = drawCutOut(rng, frames.size, config.crop);
    for (const time of [0, 1]) cropPicture(into.frames, (2 * row + time) * pixels, frames.size, cutOut);
  }
  if (config.model.timed) into.logTime[row] = Math.log(timeBetween(frames, pairs, pair) / config.offsetS);
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
    logTime: new Float32Array(batch),
  };
  for (let row = 0; row < batch; row++) fillRow(source, config, rng, row, arrays);
  const latents = batch * model.codesPerStep;
  return {
    frames: arrays.frames,
    colour: arrays.colour,
    reseed: drawReseed(config, rng),
    ...(model.timed ? { logTime: arrays.logTime } : {}),
    ...(model.quantization === "nsvq"
      ? { noise: Float32Array.from({ length: latents * model.codeWidth }, () => rng.normal()) }
      : {}),
    ...(model.groundingDims > 0 ? { action: arrays.action, known: arrays.known } : {}),
  };
}
