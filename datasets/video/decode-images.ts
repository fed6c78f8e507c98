/** @file Encoded pictures (jpeg, png) as data sets store them one by one, decoded in one ffmpeg process. */
import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { type DecodeOptions, pictureFilters, readFrames } from "./decode.ts";
import { findFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import { FfmpegLog } from "./ffmpeg-log.ts";

type Kind = { readonly codec: "mjpeg" | "png"; readonly width: number; readonly height: number };

/** Format and size of a jpeg or png by its header; `undefined` for anything else. */
export function imageKind(bytes: Uint8Array): Kind | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length > 24 && view.getUint32(0) === 0x89504e47) {
    return { codec: "png", width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  // Segments up to the frame header, which is any of SOF0 to SOF15 but the tables DHT, JPG and DAC.
  for (let position = 2; position + 9 < bytes.length; ) {
    if (bytes[position] !== 0xff) return undefined;
    const marker = bytes[position + 1]!;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { codec: "mjpeg", width: view.getUint16(position + 7), height: view.getUint16(position + 5) };
    }
    position += 2 + view.getUint16(position + 2);
  }
  return undefined;
}

/**
 * Decodes equally large pictures of one format, in order, upright as they are stored.
 *
 * @param subject the file that they come from, for errors
 * @throws FormatError for a picture that is no jpeg or png, of another size than the first, or damaged
 */
export async function* decodeImages(
  subject: string,
  images: readonly Uint8Array[],
  options: Pick<DecodeOptions, "size" | "fit" | "signal"> = {},
): AsyncGenerator<Image> {
  if (images.length === 0) return;
  const kinds = images.map(imageKind);
  const [first] = kinds;
  for (const [index, kind] of kinds.entries()) {
    if (!kind || !first) throw new FormatError(subject, `picture ${index} must be a jpeg or png, but is neither.`);
    if (kind.codec !== first.codec || kind.width !== first.width || kind.height !== first.height) {
      const show = ({ codec, width, height }: Kind) => `${width}x${height} ${codec}`;
      throw new FormatError(subject, `picture ${index} must be ${show(first)} as the first one, got ${show(kind)}.`);
    }
  }
  options.signal?.throwIfAborted();
  const log = new FfmpegLog();
  const ffmpeg = await findFfmpeg();
  const decoder = startFfmpeg(
    ffmpeg,
    [
      ...["-f", "image2pipe", "-c:v", first!.codec, "-i", "pipe:0", "-vf", pictureFilters(options)],
      ...[...ffmpeg.passthrough, "-f", "rawvideo", "pipe:1"],
    ],
    { input: "pipe", output: "pipe" },
    log.push,
  );
  void decoder.exited.then(() => log.end());
  const input = decoder.child.stdin!;
  // When ffmpeg stops early the log says why.
  input.on("error", () => undefined);
  for (const image of images) input.write(image);
  input.end();
  let count = 0;
  for await (const { data, height, width } of readFrames(decoder, log, options.signal)) {
    count++;
    yield { data, height, width };
  }
  if (log.damage !== undefined || count !== images.length) {
    throw new FormatError(
      subject,
      `${images.length} pictures must be decoded, got ${count} (${log.problems[0] ?? "no reason given"}).`,
    );
  }
}
