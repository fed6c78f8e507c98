/** @file A trained quantizer, ready to encode and draw: fixed batches in, any number of pairs through. */
import * as tf from "@tensorflow/tfjs";
import type { VisionEncoder } from "#core/contracts/vision.ts";
import { createRng } from "#core/rng.ts";
import type { FramePairs } from "#datasets/frame-pairs.ts";
import { type Compiled, compile, type Executor, type HostArray, openModel } from "#engine/index.ts";
import type { Frames } from "./batches.ts";
import { rowsOfCodes } from "./code-space.ts";
import { type QuantizerTrainConfig, quantizerTrainConfig } from "./config.ts";
import { featureSpecs, seeFeatures } from "./eyes.ts";
import {
  decodeFrame,
  drawFromCodes,
  encodePairs,
  frameAt,
  inferCodes,
  type QuantizerParameters,
  toModelRange,
} from "./model.ts";
import { type Codebook, lookUpCodes, type NoiseCodebook, noiseSubstitution } from "./vector-quantize.ts";

export type Quantizer = {
  readonly id: string;
  readonly path: string;
  readonly config: QuantizerTrainConfig;
  readonly parameters: QuantizerParameters;
  readonly codebook: Pick<Codebook<HostArray>, "vectors">;
  /** The frozen encoder of `model.imageEncoder`, where the stem is one. */
  readonly eyes?: VisionEncoder;
};

/** f32[K, codeWidth], or f32[L * K, codeWidth] with one codebook per position: what is quantised to. */
function vectorsOf({ codes }: QuantizerParameters, extra: Codebook<HostArray> | NoiseCodebook<HostArray>): HostArray {
  if (!("shift" in extra)) return extra.vectors;
  return { ...extra.shift, data: Float32Array.from(extra.shift.data, (shift, index) => shift + codes!.data[index]!) };
}

type Trained = Omit<Quantizer, "parameters" | "codebook"> & { readonly weights: unknown; readonly extra: unknown };

/** A quantizer from the state of its training. */
export function quantizerOf({ weights, extra, ...rest }: Trained): Quantizer {
  const parameters = weights as QuantizerParameters;
  return { ...rest, parameters, codebook: { vectors: vectorsOf(parameters, extra as Codebook<HostArray>) } };
}

/** Opens a trained quantizer. @throws UserError, FormatError or ConfigError as `openModel` */
export async function openQuantizer(path: string): Promise<Quantizer> {
  const { id, path: found, config, weights, extra } = await openModel(path, quantizerTrainConfig);
  return quantizerOf({ id, path: found, config, weights, extra });
}

/**
 * Sums over the pixels of one pair: squared errors in [-1, 1] units over 3 channels' mean, all and where it moves. `hard` is
 * drawn from the pair's codes, `random` from others, `trained` from what the decoder sees while it trains (with NSVQ latents
 * and noise, else the codes); `copy` is the first frame as it is.
 */
export const errorNames = [
  ...(["hard", "copy", "random", "trained"] as const),
  ...(["hardMoving", "copyMoving", "randomMoving", "trainedMoving", "moving"] as const),
] as const;
export type PairErrors = Readonly<Record<(typeof errorNames)[number], Float32Array>>;

export type QuantizerRunner = {
  /** i32[N, L] */
  encode(frames: Frames, pairs: FramePairs, signal?: AbortSignal): Promise<Int32Array>;
  /** f32[N, L * codeWidth]: the latents before quantisation. */
  embed(frames: Frames, pairs: FramePairs): Promise<Float32Array>;
  /**
   * Draws the second frame of every pair from its own code and from `others` i32[N, L].
   *
   * @returns codes i32[N, L] and errors f32[N] each
   */
  measure(frames: Frames, pairs: FramePairs, others: Int32Array): Promise<{ codes: Int32Array; errors: PairErrors }>;
  /** u8[N, size, size, 3] drawn from `first` u8[N, size, size, 3] and codes i32[N, L]. */
  draw(first: Uint8Array, codes: Int32Array): Promise<Uint8Array>;
  dispose(): Promise<void>;
};

const batch = 64;
/** As `motionWeight` counts it: a pixel that changed by more than 3 % of the range. */
const movingThreshold = 0.06;

type State = { params: QuantizerParameters<tf.Tensor>; vectors: tf.Tensor2D };

/** The second frame as NSVQ's decoder sees it in training: from latents with noise. @param noise f32[B * L, codeWidth] */
function drawWithNoise(
  { params, vectors }: State,
  config: QuantizerTrainConfig["model"],
  frames: tf.Tensor5D,
  { noise, features }: { noise: tf.Tensor2D; features: tf.Tensor4D | undefined },
): tf.Tensor4D {
  const latents = encodePairs(params, config, frames, features); // [B, L, d]
  const flat = tf.reshape(latents, [-1, config.codeWidth]) as tf.Tensor2D;
  const codes = tf.reshape(inferCodes(params, config, vectors, frames, features), [-1]) as tf.Tensor1D;
  const quantized = lookUpCodes(rowsOfCodes(config, codes), vectors);
  const passed = tf.reshape(noiseSubstitution(flat, quantized, noise), latents.shape) as tf.Tensor3D;
  return tf.clipByValue(decodeFrame(params, config, frameAt(frames, 0), passed), -1, 1);
}

function measuring(config: QuantizerTrainConfig["model"]) {
  return (state: State, inputs: Record<string, tf.Tensor>) => {
    const frames = toModelRange(inputs.frames as tf.Tensor5D);
    const [first, second] = [frameAt(frames, 0), frameAt(frames, 1)];
    const features = inputs.features as tf.Tensor4D | undefined;
    const codes = inferCodes(state.params, config, state.vectors, frames, features);
    const drawn = (by: tf.Tensor2D) => drawFromCodes(state.params, config, state.vectors, first, by);
    const moving = tf.cast(tf.greater(tf.max(tf.abs(tf.sub(second, first)), -1), movingThreshold), "float32");
    const error = (picture: tf.Tensor) => tf.mean(tf.square(tf.sub(picture, second)), -1); // [B, H, W]
    const perPair = (values: tf.Tensor) => tf.sum(values, [1, 2]);
    const hard = error(drawn(codes));
    const { noise } = inputs;
    const errors = {
      hard,
      copy: error(first),
      random: error(drawn(inputs.others as tf.Tensor2D)),
      trained: noise ? error(drawWithNoise(state, config, frames, { noise: noise as tf.Tensor2D, features })) : hard,
    };
    const outputs: Record<string, tf.Tensor> = { codes, moving: perPair(moving) };
    for (const [name, values] of Object.entries(errors)) {
      outputs[name] = perPair(values);
      outputs[`${name}Moving`] = perPair(tf.mul(values, moving));
    }
    return { outputs };
  };
}

/** Pixels of `count` pairs from `start` on, u8[batch, 2, size, size, 3]; what is left of the batch is black. */
export function readPairs(
  frames: Frames,
  pairs: FramePairs,
  { start, count, batch: rows }: { start: number; count: number; batch: number },
): Uint8Array {
  const pixels = frames.size * frames.size * 3;
  const out = new Uint8Array(rows * 2 * pixels);
  for (let row = 0; row < count; row++) {
    const pair = start + row;
    frames.read(pairs.clip[pair]!, pairs.first[pair]!, out, 2 * row * pixels);
    frames.read(pairs.clip[pair]!, pairs.second[pair]!, out, (2 * row + 1) * pixels);
  }
  return out;
}

export function createQuantizerRunner(quantizer: Quantizer, executor: Executor): QuantizerRunner {
  const { model } = quantizer.config;
  const { imageSize, codesPerStep } = model;
  const pictureSize = imageSize * imageSize * 3;
  const state = { params: quantizer.parameters, vectors: quantizer.codebook.vectors } as never;
  const frameShape = { shape: [batch, 2, imageSize, imageSize, 3], dtype: "uint8" } as const;
  const codeShape = { shape: [batch, codesPerStep], dtype: "int32" } as const;
  const seenShape = model.stem === "encoder" ? featureSpecs(model, batch) : {};
  /** A batch of pairs as the compiled functions take it. */
  const see = async (frames: Frames, pairs: FramePairs, start: number, count: number) => {
    const pixels = readPairs(frames, pairs, { start, count, batch });
    if (model.stem !== "encoder") return { frames: pixels };
    return { frames: pixels, ...(await seeFeatures(model, quantizer.eyes, pixels)) };
  };
  const isNoisy = model.quantization === "nsvq";
  const noiseShape = { shape: [batch * codesPerStep, model.codeWidth], dtype: "float32" } as const;
  const programs = new Map<string, Promise<Compiled>>();
  const program = (name: string, make: () => Promise<Compiled>) => {
    const known = programs.get(name) ?? make();
    programs.set(name, known);
    return known;
  };
  const encoder = () =>
    program("encode", () =>
      compile(
        (leaves, { frames, features }) => {
          const { params, vectors } = leaves as unknown as State;
          const seen = toModelRange(frames as tf.Tensor5D);
          return { outputs: { codes: inferCodes(params, model, vectors, seen, features as tf.Tensor4D) } };
        },
        { name: "quantizer-encode", state, inputs: { frames: frameShape, ...seenShape }, executor },
      ),
    );
  const embedder = () =>
    program("embed", () =>
      compile(
        (leaves, { frames, features }) => {
          const { params } = leaves as unknown as State;
          const seen = toModelRange(frames as tf.Tensor5D);
          return { outputs: { latents: encodePairs(params, model, seen, features as tf.Tensor4D) } };
        },
        { name: "quantizer-embed", state, inputs: { frames: frameShape, ...seenShape }, executor },
      ),
    );
  const measurer = () =>
    program("measure", () =>
      compile((leaves, inputs) => measuring(model)(leaves as unknown as State, inputs), {
        name: "quantizer-measure",
        state,
        inputs: { frames: frameShape, ...seenShape, others: codeShape, ...(isNoisy ? { noise: noiseShape } : {}) },
        executor,
      }),
    );
  const drawer = () =>
    program("draw", () =>
      compile(
        (leaves, { first, codes }) => {
          const { params, vectors } = leaves as unknown as State;
          const picture = drawFromCodes(
            params,
            model,
            vectors,
            toModelRange(first as tf.Tensor4D),
            codes as tf.Tensor2D,
          );
          return { outputs: { picture: tf.mul(tf.add(picture, 1), 127.5) } };
        },
        {
          name: "quantizer-draw",
          state,
          inputs: { first: { shape: [batch, imageSize, imageSize, 3], dtype: "uint8" }, codes: codeShape },
          executor,
        },
      ),
    );

  const cut = (codes: Int32Array, start: number, count: number) => {
    const rows = new Int32Array(batch * codesPerStep);
    rows.set(codes.subarray(start * codesPerStep, (start + count) * codesPerStep));
    return rows;
  };

  return {
    async encode(frames, pairs, signal) {
      const codes = new Int32Array(pairs.length * codesPerStep);
      for (let start = 0; start < pairs.length; start += batch) {
        signal?.throwIfAborted();
        const count = Math.min(batch, pairs.length - start);
        const result = await (await encoder()).run(await see(frames, pairs, start, count));
        codes.set((result.codes!.data as Int32Array).subarray(0, count * codesPerStep), start * codesPerStep);
      }
      return codes;
    },
    async embed(frames, pairs) {
      const width = codesPerStep * model.codeWidth;
      const latents = new Float32Array(pairs.length * width);
      for (let start = 0; start < pairs.length; start += batch) {
        const count = Math.min(batch, pairs.length - start);
        const result = await (await embedder()).run(await see(frames, pairs, start, count));
        latents.set((result.latents!.data as Float32Array).subarray(0, count * width), start * width);
      }
      return latents;
    },
    async measure(frames, pairs, others) {
      const rng = createRng("quantizer/measured-noise");
      const noise = () => Float32Array.from({ length: batch * codesPerStep * model.codeWidth }, () => rng.normal());
      const codes = new Int32Array(pairs.length * codesPerStep);
      const errors = Object.fromEntries(errorNames.map((name) => [name, new Float32Array(pairs.length)]));
      for (let start = 0; start < pairs.length; start += batch) {
        const count = Math.min(batch, pairs.length - start);
        const result = await (await measurer()).run({
          ...(await see(frames, pairs, start, count)),
          others: cut(others, start, count),
          ...(isNoisy ? { noise: noise() } : {}),
        });
        codes.set((result.codes!.data as Int32Array).subarray(0, count * codesPerStep), start * codesPerStep);
        for (const name of errorNames)
          errors[name]!.set((result[name]!.data as Float32Array).subarray(0, count), start);
      }
      return { codes, errors: errors as PairErrors };
    },
    async draw(first, codes) {
      const count = first.length / pictureSize;
      const out = new Uint8Array(first.length);
      for (let start = 0; start < count; start += batch) {
        const rows = Math.min(batch, count - start);
        const padded = new Uint8Array(batch * pictureSize);
        padded.set(first.subarray(start * pictureSize, (start + rows) * pictureSize));
        const result = await (await drawer()).run({ first: padded, codes: cut(codes, start, rows) });
        const picture = (result.picture!.data as Float32Array).subarray(0, rows * pictureSize);
        out.set(Uint8ClampedArray.from(picture), start * pictureSize);
      }
      return out;
    },
    async dispose() {
      for (const made of programs.values()) await (await made).dispose();
      programs.clear();
    },
  };
}
