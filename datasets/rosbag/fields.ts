/** @file Numbers and pictures inside of ROS messages. */
import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { imageKind } from "../video/decode-images.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A number with the name of its field: joint names for a JointState, "linear.x" elsewhere. */
export type Labelled = { readonly name: string; readonly value: number };

/** What says when and how, not what: no part of a feature. */
const bookkeeping = /^(header|layout|stamp)$|covariance$/;

function flatten(value: unknown, name: string, found: Labelled[]): void {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    found.push({ name, value: Number(value) });
  } else if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    for (const [index, element] of Array.from(value as ArrayLike<unknown>).entries())
      flatten(element, name === "" ? `${index}` : `${name}.${index}`, found);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value))
      if (!bookkeeping.test(key)) flatten(child, name === "" ? key : `${name}.${key}`, found);
  }
}

/**
 * All numbers of a message, or of the part that `field` names ("position", "points.0.positions"), in order. A JointState
 * without a field gives its positions. Texts and headers are left out.
 */
export function numbersOf(type: string, message: Fields, field: string): Labelled[] {
  const isJoints = type.endsWith("/JointState");
  const wanted = field === "" && isJoints ? "position" : field;
  const part = wanted === "" ? message : wanted.split(".").reduce<unknown>((at, key) => (at as Fields)?.[key], message);
  const found: Labelled[] = [];
  flatten(part, "", found);
  const joints = isJoints && Array.isArray(message.name) ? (message.name as string[]) : undefined;
  return joints?.length === found.length ? found.map(({ value }, index) => ({ name: joints[index]!, value })) : found;
}

export const isPictureType = (type: string): boolean => /(^|\/)(CompressedImage|Image)$/.test(type);

/** A picture as it travelled: encoded bytes, or raw pixels brought to u8[H, W, 3]. */
export type BagPicture = { readonly encoded: Uint8Array } | Image;

/** Bytes a pixel, and where red, green and blue lie in it. */
const layouts: Readonly<Record<string, readonly [number, number, number, number]>> = {
  ...{ rgb8: [3, 0, 1, 2], bgr8: [3, 2, 1, 0], rgba8: [4, 0, 1, 2], bgra8: [4, 2, 1, 0], mono8: [1, 0, 0, 0] },
  ...{ "8UC3": [3, 2, 1, 0], "8UC1": [1, 0, 0, 0] },
};

/** @throws FormatError for an encoding that is no colour picture of 8 bits */
export function pictureOf(path: string, topic: string, message: Fields): BagPicture {
  const bytes = message.data as Uint8Array;
  if (message.encoding === undefined) return { encoded: bytes };
  const [height, width, step] = [Number(message.height), Number(message.width), Number(message.step)];
  const layout = layouts[String(message.encoding)];
  if (!layout || bytes.length < height * step || step < width * layout[0]) {
    throw new FormatError(
      path,
      `topic "${topic}": must have pictures of ${Object.keys(layouts).join(", ")}, got ${width}x${height} ${message.encoding} in ${bytes.length} bytes. Leave the topic out.`,
    );
  }
  const [pixelBytes, ...channels] = layout;
  const data = new Uint8Array(height * width * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [from, to] = [row * step + column * pixelBytes, (row * width + column) * 3];
      for (let channel = 0; channel < 3; channel++) data[to + channel] = bytes[from + channels[channel]!]!;
    }
  }
  return { data, height, width };
}

/** [H, W, 3] without decoding. */
export function pictureShape(path: string, topic: string, picture: BagPicture): number[] {
  if ("height" in picture) return [picture.height, picture.width, 3];
  const kind = imageKind(picture.encoded);
  if (!kind) throw new FormatError(path, `topic "${topic}": must have jpeg or png pictures. Leave the topic out.`);
  return [kind.height, kind.width, 3];
}
