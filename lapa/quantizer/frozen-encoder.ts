/**
 * @file Frozen picture encoders from files: ONNX, run by ONNX Runtime, and TensorFlow.js graph models, whose operations the
 * engine compiles like any other function of tensors. Their pictures are resized and scaled here.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import * as ort from "onnxruntime-node";
import type { Image } from "#core/contracts/image.ts";
import type { VisionEncoder } from "#core/contracts/vision.ts";
import { FormatError, ShapeError, UserError } from "#core/errors.ts";
import type { Executor } from "#engine/index.ts";
import type { FrozenEncoderConfig } from "./config.ts";
import { resample } from "./crop.ts";
import type { FrozenModel, Told } from "./frozen-model.ts";
import { openGraphModel, weightFiles } from "./graph-model.ts";

export type FrozenEncoder<C extends FrozenEncoderConfig = FrozenEncoderConfig> = VisionEncoder & {
  /** With what the file says filled in; `width` is 0 where it gives codes, one whole number for each token. */
  readonly config: C;
  dispose(): Promise<void>;
};

async function openOnnxModel(path: string, size: number): Promise<FrozenModel> {
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 }).catch((cause: Error) => {
    throw new FormatError(path, `must be an ONNX model that ONNX Runtime can load: ${cause.message}`, { cause });
  });
  const [input] = session.inputMetadata as readonly ort.InferenceSession.TensorValueMetadata[];
  const shape = input?.shape ?? [];
  const channelsFirst = shape[1] === 3;
  if (input === undefined || shape.length !== 4 || (!channelsFirst && shape[3] !== 3)) {
    throw new FormatError(path, `must take pictures [B, 3, H, W] or [B, H, W, 3], takes [${shape.join(", ")}].`);
  }
  const own = channelsFirst ? shape[2] : shape[1];
  const side = typeof own === "number" && own > 0 ? own : size;
  const fixed = typeof shape[0] === "number" && shape[0] > 0 ? shape[0] : undefined;
  return {
    ...{ size: side, channelsFirst, batch: fixed ?? 32 },
    run: async (pixels, count) => {
      const rows = fixed ?? count;
      const given = new Float32Array(rows * side * side * 3);
      given.set(pixels);
      const dims = channelsFirst ? [rows, 3, side, side] : [rows, side, side, 3];
      const results = await session.run({ [input.name]: new ort.Tensor("float32", given, dims) });
      const { dims: told, data, type } = results[session.outputNames[0]!]!;
      const codes = type === "int64" || type === "int32";
      return { dims: told, data: Float32Array.from(data as Float32Array, Number), codes };
    },
    dispose: () => session.release(),
  };
}

/** One picture in the model's size, range and order of axes, written at `offset`. */
function feed(
  image: Image,
  model: FrozenModel,
  { mean, std }: FrozenEncoderConfig,
  into: Float32Array,
  offset: number,
) {
  const { size, channelsFirst } = model;
  if (image.height !== image.width) {
    throw new ShapeError(`encoder: pictures must be square, got ${image.height} x ${image.width}.`);
  }
  const whole = { left: 0, top: 0, side: image.width };
  resample(image.data, image.width, whole, size, (place, channel, value) => {
    const at = channelsFirst ? channel * size * size + place : place * 3 + channel;
    into[offset + at] = (value / 255 - mean[channel]!) / std[channel]!;
  });
}

/**
 * [B, N, F] as it is; [B, F] is one token; [B, h, w, F], or [B, F, h, w] of pictures of that order, are h x w tokens; of
 * whole numbers each is a token's code, without a width.
 */
function tokensOf(path: string, { dims, data, codes }: Told, channelsFirst: boolean) {
  const [batch, ...rest] = dims as [number, ...number[]];
  if (codes) return { tokens: rest.reduce((product, side) => product * side, 1), width: 0, data };
  if (rest.length === 1) return { tokens: 1, width: rest[0]!, data };
  if (rest.length === 2) return { tokens: rest[0]!, width: rest[1]!, data };
  if (rest.length !== 3) {
    throw new FormatError(path, `must give [B, F], [B, N, F] or a map of features, gives [${dims.join(", ")}].`);
  }
  if (!channelsFirst) return { tokens: rest[0]! * rest[1]!, width: rest[2]!, data };
  const [width, tokens] = [rest[0]!, rest[1]! * rest[2]!];
  const turned = new Float32Array(data.length);
  for (let row = 0; row < batch; row++) {
    for (let feature = 0; feature < width; feature++) {
      for (let token = 0; token < tokens; token++) {
        turned[(row * tokens + token) * width + feature] = data[(row * width + feature) * tokens + token]!;
      }
    }
  }
  return { tokens, width, data: turned };
}

const isGraph = (file: string) => extname(file) === ".json";

/** SHA-256 of the file, or of a graph model's file and its weights. */
function hashOf(file: string): string {
  const hash = createHash("sha256");
  for (const part of [file, ...(isGraph(file) ? weightFiles(file) : [])]) hash.update(readFileSync(part));
  return hash.digest("hex");
}

/**
 * Opens a frozen encoder.
 *
 * @param imageSize side of the square pictures that it will be shown, pixels
 * @throws UserError when the file is missing or not the one that was trained with; FormatError when it is no picture encoder
 */
export async function openFrozenEncoder<C extends FrozenEncoderConfig>(
  { imageEncoder: config, imageSize }: { readonly imageEncoder: C; readonly imageSize: number },
  executor: Executor,
): Promise<FrozenEncoder<C>> {
  const { file } = config;
  if (!existsSync(file)) {
    throw new UserError(`imageEncoder: ${file} does not exist. Give an ONNX file or a graph model's model.json.`);
  }
  const sha256 = hashOf(file);
  if (config.sha256 !== "" && config.sha256 !== sha256) {
    throw new UserError(
      `imageEncoder: ${file} must be the file that the model was trained with (SHA-256 ${config.sha256.slice(0, 16)}), got ${sha256.slice(0, 16)}. Put that file back or train again.`,
    );
  }
  const size = config.size || imageSize;
  const model = isGraph(file)
    ? await openGraphModel(file, { output: config.output, size: config.size, executor })
    : await openOnnxModel(file, size);
  const encode = async (images: readonly Image[]) => {
    const one = model.size ** 2 * 3;
    const parts: ReturnType<typeof tokensOf>[] = [];
    for (let start = 0; start < images.length; start += model.batch) {
      const group = images.slice(start, start + model.batch);
      const pixels = new Float32Array(group.length * one);
      for (const [row, image] of group.entries()) feed(image, model, config, pixels, row * one);
      parts.push(tokensOf(file, await model.run(pixels, group.length), model.channelsFirst));
    }
    const { tokens, width } = parts[0]!;
    const perImage = tokens * Math.max(1, width);
    const values = new Float32Array(images.length * perImage);
    for (const [index, part] of parts.entries()) {
      const at = index * model.batch * perImage;
      values.set(part.data.subarray(0, values.length - at), at);
    }
    return { tokens, width, values };
  };
  const blank = { data: new Uint8Array(imageSize ** 2 * 3), height: imageSize, width: imageSize };
  const { tokens, width } = await encode([blank]).catch(async (error) => {
    await model.dispose();
    throw error;
  });
  return {
    id: sha256.slice(0, 16),
    config: { ...config, tokens, width, sha256 },
    shape: () => ({ tokens, width }),
    encode: async (images) => (await encode(images)).values,
    dispose: () => model.dispose(),
  };
}
