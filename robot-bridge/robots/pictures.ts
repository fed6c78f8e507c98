/** @file Camera pictures as robots send them (`sensor_msgs/CompressedImage`) to the pictures that policies take. */
import jpeg from "jpeg-js";
import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { decodePng } from "#core/image/png.ts";
import type { CompressedImage } from "../protocol/messages.ts";

/** Larger pictures are refused before they are decoded. */
const largestPixels = 16_000_000;

const startsWith = (bytes: Uint8Array, ...prefix: number[]) => prefix.every((value, index) => bytes[index] === value);

/**
 * Decodes PNG or JPEG, by what the bytes say: publishers fill `format` in differently ("png", "jpeg", "rgb8; jpeg
 * compressed bgr8"), but the file inside always is an ordinary colour picture.
 *
 * @throws FormatError when it is another format, a depth picture, broken or larger than 16 megapixels
 */
export function decodePicture({ format, data }: CompressedImage): Image {
  if (/compressedDepth/i.test(format)) throw new FormatError("picture", `must be a colour picture, got "${format}".`);
  if (startsWith(data, 0x89, 0x50, 0x4e, 0x47) && data.length >= 24) {
    const header = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const [width, height] = [header.getUint32(16), header.getUint32(20)];
    if (width * height > largestPixels) {
      throw new FormatError("picture", `must have at most ${largestPixels} pixels, got ${width} x ${height}.`);
    }
    return decodePng(data);
  }
  if (!startsWith(data, 0xff, 0xd8)) throw new FormatError("picture", `must be PNG or JPEG, got "${format}".`);
  try {
    const {
      width,
      height,
      data: pixels,
    } = jpeg.decode(data, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: largestPixels / 1e6,
      maxMemoryUsageInMB: 512,
    });
    return { data: pixels, height, width };
  } catch (cause) {
    throw new FormatError("picture", `must be a whole JPEG: ${(cause as Error).message}.`, { cause });
  }
}

/** Shares of source pixels that one row or column of the result covers. */
function coverage(from: number, to: number): { readonly first: number; readonly weights: number[] }[] {
  const scale = from / to;
  return Array.from({ length: to }, (_, index) => {
    const [start, end] = [index * scale, (index + 1) * scale];
    const first = Math.floor(start);
    const count = Math.max(1, Math.min(from, Math.ceil(end - 1e-9)) - first);
    const weights = Array.from({ length: count }, (_, offset) => {
      const overlap = Math.min(end, first + offset + 1) - Math.max(start, first + offset);
      return overlap / scale;
    });
    return { first, weights };
  });
}

/** Scales by averaging the area that each new pixel covers: no aliasing when shrinking. The aspect ratio may change. */
export function resizeImage(image: Image, height: number, width: number): Image {
  if (image.height === height && image.width === width) return image;
  const rows = coverage(image.height, height);
  const columns = coverage(image.width, width);
  // Columns first, then rows. f32[image.height, width, 3]
  const narrow = new Float32Array(image.height * width * 3);
  for (let y = 0; y < image.height; y++) {
    for (const [x, { first, weights }] of columns.entries()) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (const [offset, weight] of weights.entries()) {
          sum += weight * image.data[3 * (y * image.width + first + offset) + channel]!;
        }
        narrow[3 * (y * width + x) + channel] = sum;
      }
    }
  }
  const data = new Uint8Array(height * width * 3);
  for (const [y, { first, weights }] of rows.entries()) {
    for (let index = 0; index < 3 * width; index++) {
      let sum = 0;
      for (const [offset, weight] of weights.entries()) sum += weight * narrow[3 * width * (first + offset) + index]!;
      data[3 * width * y + index] = Math.round(sum);
    }
  }
  return { data, height, width };
}
