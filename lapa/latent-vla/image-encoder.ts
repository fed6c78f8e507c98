import * as ort from "onnxruntime-node";
import type { Image } from "#core/contracts/image.ts";
import type { VisionEncoder } from "#core/contracts/vision.ts";
import { FormatError } from "#core/errors.ts";
import type { BackboneConfig } from "./config.ts";
import { openOnnxEncoder } from "./onnx-encoder.ts";

type Layout = { readonly size: number; readonly channelsFirst: boolean };

/** How the file wants its pictures: [B, 3, H, W] or [B, H, W, 3]; a free side is `size`, else the pictures' own. */
function layoutOf(path: string, shape: readonly unknown[], size: number): Layout {
  const channelsFirst = shape[1] === 3;
  if (shape.length !== 4 || (!channelsFirst && shape[3] !== 3)) {
    throw new FormatError(path, `must take pictures [B, 3, H, W] or [B, H, W, 3], takes [${shape.join(", ")}].`);
  }
  const side = channelsFirst ? shape[2] : shape[1];
  return { size: typeof side === "number" && side > 0 ? side : size, channelsFirst };
}

/** The two pixels of a row or column that a target pixel lies between, and the second one's share; ends are repeated. */
function neighbours(target: number, targets: number, sources: number): [first: number, second: number, share: number] {
  const place = Math.min(sources - 1, Math.max(0, ((target + 0.5) * sources) / targets - 0.5));
  const first = Math.floor(place);
  return [first, Math.min(first + 1, sources - 1), place - first];
}

/** One picture in the encoder's size (bilinear, half-pixel centres), range and order of axes, written at `offset`. */
function feed(
  { data, height, width }: Image,
  { size, channelsFirst }: Layout,
  { mean, std }: BackboneConfig["imageEncoder"],
  into: Float32Array,
  offset: number,
): void {
  const area = size * size;
  for (let place = 0; place < area; place++) {
    const [top, bottom, down] = neighbours(Math.floor(place / size), size, height);
    const [left, right, across] = neighbours(place % size, size, width);
    for (let channel = 0; channel < 3; channel++) {
      const at = (y: number, x: number) => data[(y * width + x) * 3 + channel]!;
      const above = at(top, left) * (1 - across) + at(top, right) * across;
      const below = at(bottom, left) * (1 - across) + at(bottom, right) * across;
      const value = (above * (1 - down) + below * down) / 255;
      into[offset + (channelsFirst ? channel * area + place : place * 3 + channel)] =
        (value - mean[channel]!) / std[channel]!;
    }
  }
}

/** @returns f32[B, 3, S, S] or f32[B, S, S, 3] */
function feedOf(images: readonly Image[], layout: Layout, encoder: BackboneConfig["imageEncoder"]): Float32Array {
  const size = layout.size ** 2 * 3;
  const all = new Float32Array(images.length * size);
  for (const [row, image] of images.entries()) feed(image, layout, encoder, all, row * size);
  return all;
}

/** [B, N, F] as it is; [B, F] is one token; [B, F, h, w] are h x w tokens; [B, N] of whole numbers are codes. */
function readTokens(path: string, { dims, type, data }: ort.Tensor) {
  const isCodes = type === "int64" || type === "int32";
  const values = Float32Array.from(data as Float32Array, Number);
  if (isCodes) return { tokens: dims.slice(1).reduce((product, size) => product * size, 1), width: 0, values };
  if (dims.length === 2) return { tokens: 1, width: dims[1]!, values };
  if (dims.length === 3) return { tokens: dims[1]!, width: dims[2]!, values };
  if (dims.length !== 4) {
    throw new FormatError(path, `must give [B, N, F], [B, F], [B, F, h, w] or codes, gives [${dims.join(", ")}].`);
  }
  const [batch, width, rows, columns] = dims as [number, number, number, number];
  const tokens = rows * columns;
  const turned = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const [row, rest] = [Math.floor(index / (width * tokens)), index % (width * tokens)];
    turned[row * width * tokens + (rest % tokens) * width + Math.floor(rest / tokens)] = values[index]!;
  }
  return { tokens, width, values: turned.subarray(0, batch * tokens * width) };
}

/**
 * Opens a frozen picture encoder; codes come as whole numbers in the f32 array.
 *
 * @throws UserError or FormatError when the file is missing, another one, or does not take pictures
 */
export async function openImageEncoder({
  imageEncoder,
  imageSize,
}: BackboneConfig): Promise<VisionEncoder & { readonly config: BackboneConfig["imageEncoder"] }> {
  const { file } = imageEncoder;
  const encoder = await openOnnxEncoder("imageEncoder", file, imageEncoder.sha256);
  const input = encoder.inputs[0]!;
  const layout = layoutOf(file, input.shape ?? [], imageEncoder.size || imageSize);
  const encode = async (images: readonly Image[]) => {
    const { size, channelsFirst } = layout;
    const dims = channelsFirst ? [1, 3, size, size] : [1, size, size, 3];
    const isOneByOne = input.shape[0] === 1;
    const parts: ReturnType<typeof readTokens>[] = [];
    for (const group of isOneByOne ? images.map((image) => [image]) : [images]) {
      const pixels = new ort.Tensor("float32", feedOf(group, layout, imageEncoder), [group.length, ...dims.slice(1)]);
      parts.push(readTokens(file, await encoder.run({ [input.name]: pixels })));
    }
    const { tokens, width } = parts[0]!;
    const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part.values, at);
      at += part.values.length;
    }
    return { tokens, width, values };
  };
  const blank = { data: new Uint8Array(imageSize ** 2 * 3), height: imageSize, width: imageSize };
  const { tokens, width } = await encode([blank]);
  return {
    id: encoder.sha256.slice(0, 16),
    config: { ...imageEncoder, tokens, width, codes: width === 0 ? imageEncoder.codes : 0, sha256: encoder.sha256 },
    shape: () => ({ tokens, width }),
    encode: async (images) => (await encode(images)).values,
  };
}
