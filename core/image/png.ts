import { PNG } from "pngjs";
import type { Image } from "../contracts/image.ts";
import { FormatError } from "../errors.ts";

/** Compresses a picture losslessly as an 8-bit RGB PNG. */
export function encodePng({ data, height, width }: Image): Uint8Array {
  const png = new PNG({ width, height, colorType: 2, inputColorType: 2, inputHasAlpha: false });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return PNG.sync.write(png, { colorType: 2, inputColorType: 2, inputHasAlpha: false });
}

/**
 * Reads a PNG of any colour type; alpha is dropped.
 *
 * @throws FormatError when the bytes are not a whole PNG
 */
export function decodePng(bytes: Uint8Array, path = "picture"): Image {
  let png: PNG;
  try {
    png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    throw new FormatError(path, "must be a whole PNG, got broken bytes. Write it again.", { cause });
  }
  const { width, height, data: rgba } = png;
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data[3 * pixel] = rgba[4 * pixel]!;
    data[3 * pixel + 1] = rgba[4 * pixel + 1]!;
    data[3 * pixel + 2] = rgba[4 * pixel + 2]!;
  }
  return { data, height, width };
}
